"""What a workspace declares: the tracking plan and the product, read from YAML."""

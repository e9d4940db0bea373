"""What is computed into the warehouse: insights, metric values, experiments and the impact of releases."""

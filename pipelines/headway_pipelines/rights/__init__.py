"""What a person may ask for: that everything about them goes, or that they are told what there is."""

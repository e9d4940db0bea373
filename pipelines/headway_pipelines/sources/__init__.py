"""Reading exports: one small module per format, each turning framed lines into one event shape."""

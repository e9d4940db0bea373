"""Great Expectations as the judge: it sees profiles (counts), never events."""

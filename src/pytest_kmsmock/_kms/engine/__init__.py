"""`FakeKms`, and the path of one call (`pipeline.perform`)."""

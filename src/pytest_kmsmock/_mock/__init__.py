"""What tests use: `KmsMock`, the decorator and context manager `mock_kms`, and the clients they make."""

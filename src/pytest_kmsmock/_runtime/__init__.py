"""State of the process: options, active mocks, environment variables, and the guard against real calls."""

"""What the process shares: options, active mocks, environment variables, and the guard against real calls."""

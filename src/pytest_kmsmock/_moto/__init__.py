"""What is known of moto's insides. Nothing else imports moto, and what goes in and out here is plain data."""

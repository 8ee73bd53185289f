"""What the topic model that ships is made of, and the tests of making one."""

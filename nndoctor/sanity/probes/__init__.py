"""The probes: each looks at one side of the subject and notes what it measured, without judging it."""

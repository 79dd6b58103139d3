"""Small real trainings of today's kinds, logged as their frameworks log, each with a planted fault or without one."""

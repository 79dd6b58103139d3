"""Values that everything else rests on: no I/O, no judgement."""

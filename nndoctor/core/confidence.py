"""The confidence of findings whose evidence is of a kind and not of a degree: a few grades, each with its reason.

A confidence that grows with a measured quantity is computed by `confidence_between`. The grades are those of evidence,
so that two rules with the same evidence are equally sure; `python -m benchmarks.accuracy` compares them with how often
such findings are right.
"""

from __future__ import annotations

BY_DEFINITION = 1.0  # a requirement that the user set is compared, not judged
# The fault itself can be read in the log, in a tensor or in a gradient; only a faulty log could be wrong.
IN_THE_DATA = 0.99
DIRECT = 0.95  # the fault was measured directly, in every value or by a probe that changes nothing else
# A measurement is beyond a limit that sound runs keep a distance from; an unusual design may have a reason for it.
MEASURED = 0.9
SEVERAL_SIGNS = 0.85  # several signs agree, none of which would be enough alone
TYPICAL = 0.8  # the pattern is typical of the fault, and sound runs show it now and then
PLAUSIBLE = 0.7  # the pattern fits the fault, and at least one other explanation nearly as well
POSSIBLE = 0.6  # a choice that often costs accuracy, whose cost this run cannot show
UNDECIDED = 0.5  # as often right as wrong; worth a look because a fault of this kind is costly
FAINT = 0.4  # more often no fault than one; reported as a remark

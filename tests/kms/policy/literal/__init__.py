"""An independent evaluator of policies, slow and literal, and the cases on which it is compared with the package.

It is written from AWS's documentation and from observed decisions and shares no code with the package: a mistake has to
be made twice to stay hidden. `conditions`, `statements`, `context` and `decision` are the evaluator; `cases` generates
requests with policies of all kinds, from `vocabulary`; `comparison` asks both.
"""

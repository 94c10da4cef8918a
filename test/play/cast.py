"""cast.py FILE EXPRESSION: is it true of an asciicast? h is the header, e the events, text all output, times since the beginning."""
import json
import sys

lines = open(sys.argv[1], "rb").read().decode("utf-8").split("\n")
assert lines.pop() == "", "the last line is not ended"
h, *e = [json.loads(line) for line in lines]
assert all(len(x) == 3 and x[0] >= 0 and isinstance(x[2], str) for x in e)
times = [x[0] for x in e]
if h["version"] == 3:
    times = [sum(times[: i + 1]) for i in range(len(times))]
assert times == sorted(times)
text = "".join(x[2] for x in e if x[1] == "o")
if not eval(sys.argv[2]):
    print("not true:", sys.argv[2], h, e, times)
    sys.exit(1)

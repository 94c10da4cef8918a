"""
compare.py WHAT JUDGE...: what pterm's screen shows beside what others show (test/judges/judges.py).

  corpus        every row of test/corpus: pterm as the row wants it; each judge as pterm, but where the row names it
  generated     streams by chance: $JUDGE_STREAMS for each judge (300), from $TEST_SEED on
  recordings    real programs, recorded: test/judges/recordings
  documented    that docs/terminal.md says of every judge named in a row why pterm does not go with it, and nothing else;
                and that test/corpus has all of ctlseqs
"""
import glob
import os
import re
import sys

import corpus
import generate
from judges import HERE, JUDGES, Ours, Stream, differences, show

DOCS = HERE + "/../../docs/terminal.md"
failed = []


def fail(text):
    print(text, file=sys.stderr)
    failed.append(text)


def beside(judge, streams):
    """(stream, ours, theirs) of those that the judge can look at."""
    streams = [s for s in streams if judge.can(s)]
    return zip(streams, Ours().states(streams), judge.states(streams))


def corpus_rows(names):
    rows = corpus.rows()
    for row, state in zip(rows, Ours().states([r.stream for r in rows])):
        for text in corpus.failures(row, state):
            fail(text)
    by_place = {r.place: r for r in rows}
    for name in names:
        judge = JUDGES[name]()
        agreed = 0
        for stream, ours, theirs in beside(judge, [r.stream for r in rows]):
            row = by_place[stream.name]
            found = differences(ours, theirs)
            if name == "xterm" and re.search("(^|& )=", row.wanted) and ours.answers != theirs.answers:
                found.append("answers: ours %r, theirs %r" % (ours.answers, theirs.answers))
            agreed += not found
            if bool(found) != (name in row.dissent):
                fail("%s %s: %s %s: %s" % (row.place, row.control, name, "agrees, but is named" if not found else "differs", found))
        judge.close()
        print("# %s: %d rows agree" % (name, agreed))


def generated(names):
    count, seed = int(os.environ.get("JUDGE_STREAMS", 300)), os.environ.get("TEST_SEED", "1")
    for name in names:
        judge = JUDGES[name]()
        for stream, ours, theirs in beside(judge, generate.streams(name, count, seed)):
            for text in differences(ours, theirs):
                fail("%s (seed %s): %s after %s" % (stream.name, seed, text, show(stream)))
        judge.close()
        print("# %s: %d streams, seed %s" % (name, count, seed))


def recordings(names):
    """Each in pieces: a judge looks at the middle of a program's work, and at its end."""
    streams = []
    for path in sorted(glob.glob(HERE + "/recordings/*.stream")):
        with open(path, "rb") as f:
            data = f.read()
        for part in (4, 3, 2, 1):
            streams.append(Stream("%s, 1/%d" % (os.path.basename(path), part), 24, 80, [data[:len(data) // part]]))
    for name in names:
        judge = JUDGES[name]()
        for stream, ours, theirs in beside(judge, streams):
            for text in differences(ours, theirs):
                fail("%s: %s: %s" % (stream.name, name, text))
        judge.close()
        print("# %s: %d recordings" % (name, len(streams)))


def table_rows(text, heading):
    """The cells of the rows of the table below a heading."""
    part = text.split(heading, 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def documented(_):
    with open(DOCS) as f:
        text = f.read()
    said = set()
    for controls, *_, who in [(r[1], r[2]) for r in table_rows(text, "### Who differs")]:
        for control in controls.split(", "):
            said |= {(control, name.strip()) for name in who.split(", ")}
    rows = corpus.rows()
    found = {(row.control, name) for row in rows for name in row.dissent}
    for control, name in sorted(found - said):
        fail("docs/terminal.md does not say why pterm does not go with %s in %s" % (name, control))
    for control, name in sorted(said - found):
        fail("docs/terminal.md says that %s differs in %s, and no row of test/corpus shows it" % (name, control))
    absent = text.split("### Not emulated", 1)[1].split("\n## ", 1)[0]
    for control in {row.control for row in rows if row.place.startswith("none.table")}:
        if control not in absent:
            fail("docs/terminal.md does not say that %s is not emulated" % control)
    with open(corpus.FOLDER + "/ctlseqs.list") as f:
        names = [line.strip() for line in f if line.strip() and not line.startswith("#")]
    for name in sorted(set(names) - {row.control for row in rows}):
        fail("no row of test/corpus is for %s" % name)


what = {"corpus": corpus_rows, "generated": generated, "recordings": recordings, "documented": documented}[sys.argv[1]]
what(sys.argv[2:])
sys.exit(1 if failed else 0)

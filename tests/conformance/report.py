"""The report of a run, as text and as HTML."""
import collections
import html
import time

STYLE = """body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}
td,th{border:1px solid #ccc;padding:2px 8px;text-align:left;vertical-align:top;max-width:32em;overflow-wrap:anywhere}
td.short,th{white-space:nowrap;overflow-wrap:normal}
.OK{background:#cfc}.NON-STRICT{background:#ffc}.FAILED{background:#fcc}"""

VERDICTS = "OK: as expected; NON-STRICT: as expected, but later than possible; FAILED: not as expected"


class Result:
    def __init__(self, case, verdict, seconds, expected, observed):
        self.case, self.verdict, self.seconds = case, verdict, seconds
        self.expected, self.observed = "; ".join(expected) or "-", "; ".join(map(str, observed)) or "-"


def summary(results):
    count = collections.Counter(result.verdict for result in results)
    return f"{len(results)} cases: {count['OK']} OK, {count['NON-STRICT']} NON-STRICT, {count['FAILED']} FAILED"


def by_group(results):
    """The groups in numerical order, each with its results."""
    groups = sorted({result.case.group for result in results},
                    key=lambda group: [(part.isdigit() and int(part) or 0, part) for part in group.number.split(".")])
    return [(group, [result for result in results if result.case.group is group]) for group in groups]


def made():
    return f"made {time.strftime('%Y-%m-%d %H:%M:%S %Z')}; {VERDICTS}"


def write_text(path, title, results):
    with open(path, "w") as out:
        print(title, summary(results), made(), sep="\n", file=out)
        for group, members in by_group(results):
            print(f"\n{group.number}  {group.subject}", file=out)
            for result in members:
                duration = f"{result.seconds * 1000:7.0f} ms"
                print(f"  {result.case.name:8} {result.verdict:10} {duration}  {result.case.title}", file=out)
                print(f"           expected {result.expected}\n           observed {result.observed}", file=out)


def overview(results):
    """One row per group, with links to the cases that did not pass."""
    rows = []
    for group, members in by_group(results):
        wrong = "".join(f' <a class="{r.verdict}" href="#{r.case.name}">{r.case.name}</a>' for r in members
                        if r.verdict != "OK")
        rows.append(f'<tr><td><a href="#{group.number}">{group.number}</a></td><td>{html.escape(group.subject)}</td>'
                    f"<td>{sum(r.verdict == 'OK' for r in members)} of {len(members)} OK{wrong}</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def write_html(path, title, results):
    cells = []
    for group, members in by_group(results):
        cells.append(f'<tr id="{group.number}"><th colspan="6">{group.number} {html.escape(group.subject)}</th></tr>')
        for r in members:
            cells.append(f'<tr id="{r.case.name}"><td class="short">{r.case.name}</td>'
                         f'<td>{html.escape(r.case.title)}</td>'
                         f'<td>{html.escape(r.expected)}</td><td>{html.escape(r.observed)}</td>'
                         f'<td class="short {r.verdict}">{r.verdict}</td>'
                         f'<td class="short">{r.seconds * 1000:.0f} ms</td></tr>')
    with open(path, "w") as out:
        out.write(f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
                  f"<h1>{html.escape(title)}</h1><p>{summary(results)}<br>{html.escape(made())}</p>{overview(results)}"
                  "<h2>Cases</h2>"
                  "<table><tr><th>case</th><th>subject</th><th>expected</th><th>observed</th><th>verdict</th>"
                  "<th>duration</th></tr>"
                  f"{''.join(cells)}</table>\n")

"""The report of a run, as text and as HTML."""
import collections
import html

STYLE = """body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:2px 8px;text-align:left;
vertical-align:top;max-width:32em;overflow-wrap:anywhere}.OK{background:#cfc}.NON-STRICT{background:#ffc}.FAILED{background:#fcc}"""


class Result:
    def __init__(self, case, verdict, seconds, expected, observed):
        self.case, self.verdict, self.seconds = case, verdict, seconds
        self.expected, self.observed = "; ".join(expected) or "-", "; ".join(map(str, observed)) or "-"


def summary(results):
    count = collections.Counter(result.verdict for result in results)
    return f"{len(results)} cases: {count['OK']} OK, {count['NON-STRICT']} NON-STRICT, {count['FAILED']} FAILED"


def write_text(path, title, results):
    with open(path, "w") as out:
        print(title, summary(results), sep="\n", file=out)
        for group in dict.fromkeys(result.case.group for result in results):
            print(f"\n{group.number}  {group.subject}", file=out)
            for result in (r for r in results if r.case.group is group):
                print(f"  {result.case.name:8} {result.verdict:10} {result.seconds * 1000:7.0f} ms  {result.case.title}", file=out)
                print(f"           expected {result.expected}\n           observed {result.observed}", file=out)


def write_html(path, title, results):
    cells = []
    for group in dict.fromkeys(result.case.group for result in results):
        cells.append(f'<tr><th colspan="6">{group.number} {html.escape(group.subject)}</th></tr>')
        for r in (r for r in results if r.case.group is group):
            cells.append(f'<tr><td>{r.case.name}</td><td>{html.escape(r.case.title)}</td><td>{html.escape(r.expected)}</td>'
                         f'<td>{html.escape(r.observed)}</td><td class="{r.verdict}">{r.verdict}</td><td>{r.seconds * 1000:.0f} ms</td></tr>')
    with open(path, "w") as out:
        out.write(f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
                  f"<h1>{html.escape(title)}</h1><p>{summary(results)}</p><table><tr><th>case</th><th>subject</th><th>expected</th>"
                  f"<th>observed</th><th>verdict</th><th>duration</th></tr>{''.join(cells)}</table>\n")

"""What `make test COVERAGE=1` ends with: the total, and the files of which a tenth never ran."""

import json
from pathlib import Path
import sys

ENOUGH = 90  # per cent of the lines


def short(report: dict) -> list[str]:
    """Sum up a report of `coverage json`: a line for each file below ENOUGH, then the total."""
    below = {
        name: each['summary']
        for name, each in report['files'].items()
        if each['summary']['num_statements'] and each['summary']['percent_covered'] < ENOUGH
    }
    lines = [
        f'{each["percent_covered"]:5.1f} %  {each["missing_lines"]:4} lines  {name}'
        for name, each in sorted(below.items(), key=lambda item: item[1]['percent_covered'])
    ]
    return [*lines, f'{report["totals"]["percent_covered"]:5.1f} %  of all lines']


if __name__ == '__main__':
    print('Lines that tests ran, of the files where it is fewer than', f'{ENOUGH} %:')
    print(*short(json.loads(Path(sys.argv[1]).read_text())), sep='\n')

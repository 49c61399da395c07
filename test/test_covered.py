import covered


def test_the_total_comes_last_and_files_with_enough_are_left_out():
    def file(share, statements=10, missing=1):
        return {'summary': {'percent_covered': share, 'num_statements': statements,
                            'missing_lines': missing}}  # fmt: skip

    files = {'a.py': file(95.0), 'b.py': file(80.0, 10, 2), 'c.py': file(0.0, 9, 9),
             'empty.py': file(0.0, 0, 0)}  # fmt: skip
    found = covered.short({'files': files, 'totals': {'percent_covered': 61.25}})
    assert [line.split()[-1] for line in found] == ['c.py', 'b.py', 'lines']
    assert found[0].split()[:3] == ['0.0', '%', '9'] and found[-1].split()[0] in ('61.2', '61.3')

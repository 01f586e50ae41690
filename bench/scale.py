"""How long one question takes as the consent database grows: asked one after the other over one connection."""
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import time
import urllib.parse

from process import CLIENT_CPU, TOP

ACTS = 5
JANUARY = 1767225600  # bench/fill.c says what is in there


class Asker:
    def __init__(self, licet):
        self.licet = licet
        self.connection = http.client.HTTPConnection('127.0.0.1', licet.port)

    def ask(self, path, body=None):
        """Milliseconds, and what was answered."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {'ApiKey': self.licet.private, 'Content-Type': 'application/json'}
        begun = time.perf_counter()
        self.connection.request('POST' if data else 'GET', path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            sys.exit(f'bench: {path}: {answer.status} {text[:200]}')
        return took, json.loads(text)


def questions(count, dice):
    """{name: (what gives the path and body of one question, how many it must find at least)}"""
    def one():
        return dice.randrange(count)

    def consents(**filters):
        return '/consent?' + urllib.parse.urlencode(filters)

    def subjects(**filters):
        return '/subjects?' + urllib.parse.urlencode(filters)

    def second(n):
        return JANUARY + n * ACTS // 5

    given = ('Ada', 'Bruno', 'Carla', 'Dario', 'Elena', 'Fabio', 'Gina', 'Hugo', 'Irma', 'Jan')

    def email(n):
        return f'{given[n % 10]}.n{n}@host{n % 97}.example'

    act = {'proofs': [{'content': 'I agree.', 'form': '<form>statistics</form>'}], 'preferences': {'statistics': True, 'newsletter': False}}
    fresh = iter(range(10**9))
    return {
        'write_new': (lambda: ('/consent', {'subject': {'id': f'new-{count}-{next(fresh)}', 'email': f'new{next(fresh)}@x.example'}, **act}), 0),
        'write_known': (lambda: ('/consent', {'subject': {'id': f'subject-{one():08}'}, **act}), 0),
        'subject': (lambda: (f'/subjects/subject-{one():08}', None), 1),
        'history': (lambda: (consents(subject_id=f'subject-{one():08}', limit=100), None), 5),
        'last': (lambda: (f'/subjects/subject-{one():08}/consent/last', None), 1),
        'email_exact': (lambda: (subjects(email_exact=email(one())), None), 1),
        'consents_by_email_exact': (lambda: (consents(subject_email_exact=email(one())), None), 5),
        'newest': (lambda: (consents(), None), 10),
        'page_deep': (lambda: (consents(starting_after=DEEP[0]), None), 10),
        'source_public': (lambda: (consents(source='public'), None), 10),
        'consent_type': (lambda: (consents(consent_type='cookie_policy'), None), 10),
        'consent_type_null': (lambda: (consents(consent_type='null'), None), 10),
        'ip_address': (lambda: (consents(ip_address='10.%d.%d.%d' % ((n := one()) >> 16 & 255, n >> 8 & 255, n & 255)), None), 1),
        'ip_none': (lambda: (consents(ip_address='none'), None), 10),
        'preference_seldom': (lambda: (consents(preference_key='seldom'), None), 10),
        'preference_common': (lambda: (consents(preference_key='newsletter'), None), 10),
        'times': (lambda: (consents(from_time=second(n := one()), to_time=second(n) + 9), None), 10),
        'times_and_source': (lambda: (consents(from_time=second(n := dice.randrange(count - 60)), to_time=second(n) + 60, source='public'), None), 10),
        'email_word': (lambda: (consents(subject_email=f'n{one()}'), None), 5),
        'email_common': (lambda: (consents(subject_email='host7'), None), 10),
        'first_name': (lambda: (consents(subject_first_name='Gina'), None), 10),
        'last_name': (lambda: (consents(subject_last_name=f'Name{one() // 3}'), None), 5),
        'full_name': (lambda: (consents(subject_full_name=f'Name{one() // 3}'), None), 5),
        'verified': (lambda: (consents(subject_verified='true'), None), 10),
        'seldom_and_verified': (lambda: (consents(preference_key='seldom', subject_verified='false', source='private'), None), 10),
        'subjects_newest': (lambda: (subjects(), None), 10),
        'subjects_word': (lambda: (subjects(email=f'n{one()}'), None), 1),
        'subjects_phone': (lambda: (subjects(phone=f'+3906{one() // 10 * 10}'), None), 1),
        'subjects_verified': (lambda: (subjects(verified='true'), None), 10),
        'subjects_last_name': (lambda: (subjects(last_name=f'Name{one() // 3}'), None), 1),
        'subjects_times': (lambda: (subjects(from_time=JANUARY), None), 10),
    }


DEEP = ['']  # the id of an act in the middle
BY_ID = ('subject', 'history', 'last', 'email_exact', 'consents_by_email_exact')


def measure(licet, count, samples):
    """{name: milliseconds of each sample}"""
    asker, dice, out = Asker(licet), random.Random(count), {}
    _, middle = asker.ask(f'/consent?subject_id=subject-{count // 2:08}&limit=1')
    DEEP[0] = middle[0]['id']
    for name, (make, least) in questions(count, dice).items():
        times = []
        for i in range(samples + samples // 4):
            took, answer = asker.ask(*make())
            found = len(answer) if isinstance(answer, list) else 1
            if found < least:
                sys.exit(f'bench: scale: {name}: {found} instead of {least}')
            if i >= samples // 4:  # the first warm up
                times.append(took)
        out[name] = times
    return out


def bench(licet, fill, sizes, samples, say):
    os.sched_setaffinity(0, {int(CLIENT_CPU)})
    env = dict(os.environ, BENCH_PORT=str(licet.port), BENCH_DATA=str(licet.folder / f'{licet.name}-data'),
               BENCH_PRIVATE_KEY=licet.private, BENCH_PUBLIC_KEY=licet.public)
    medians, filled = {}, 0
    for count in sizes:
        licet.stop()
        begun = time.monotonic()
        subprocess.run([fill, licet.config, str(filled), str(count)], env=env, check=True)
        say(f'scale.{count}.filled', [(count - filled) * ACTS / (time.monotonic() - begun)], 'acts/s')
        filled = count
        size = sum(f.stat().st_size for f in (licet.folder / f'{licet.name}-data').rglob('*') if f.is_file())
        say(f'scale.{count}.size', [size / count], 'bytes/subject')
        licet.start()
        for name, times in measure(licet, count, samples).items():
            say(f'scale.{count}.{name}', times, 'ms')
            medians.setdefault(name, []).append(statistics.median(times))
    for name, values in medians.items() if len(sizes) > 1 else ():
        say(f'scale.growth.{name}', [values[-1] / values[0]], 'ratio')
    if len(sizes) > 1:
        worst = max(BY_ID, key=lambda name: medians[name][-1] / medians[name][0])
        print(f'# reads by id and exact e-mail: from {sizes[0]} to {sizes[-1]} subjects at most '
              f'{medians[worst][-1] / medians[worst][0]:.2f} times as long ({worst})', flush=True)

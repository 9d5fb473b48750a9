#!/usr/bin/env python3
"""Which program is it? What a rule about a path means when files move, change, vanish, or have several names.

The app id of a program is the path of its executable as the kernel walks it at the socket call, up to the root of the
mount namespace: not the path it was started by, and not its inode. Each case says which rule must hit.
"""
import ctypes
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'scenarios'))
# pylint: disable=wrong-import-position
from instance import Checks
from lab import run, skip_unless_possible, wait_for
from stage import Stage

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
PYTHON = '''#!{interpreter} -IS
import socket, sys
s = socket.socket(); s.settimeout(5)
s.connect((sys.argv[2], 7011)); s.sendall(b"x"); assert s.recv(1) == b"x"
'''


class Case:
    """Programs in a folder of their own, and rules about them."""

    def __init__(self, stage, check, name):
        self.stage, self.check, self.name = stage, check, name
        self.folder = os.path.join(stage.directory, name)
        os.mkdir(self.folder)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def program(self, *parts):
        """A new copy of the generator."""
        path = self.path(*parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(self.stage.programs['helper'], path)
        return path

    def block(self, path):
        self.stage.ringwall('remove', '--all')
        self.stage.ringwall('block', '--app', path)

    def run(self, program, *prefix, arguments=None):
        """(whether it got through, bytes that reached the peer)"""
        peer = self.stage.denied_peer
        before = self.stage.settled_bytes_to(peer)
        done = self.stage.run([*prefix, program, *(arguments or ['tcp', peer.address4, peer.address6])])
        return done.returncode == 0, self.stage.bytes_to(peer) - before, done.stderr

    def blocked(self, what, program, *prefix, arguments=None):
        through, count, _ = self.run(program, *prefix, arguments=arguments)
        self.check(f'{self.name}: {what}: blocked', not through and count == 0,
                   f'through: {through}, {count} bytes out')

    def passes(self, what, program, *prefix, arguments=None):
        through, count, errors = self.run(program, *prefix, arguments=arguments)
        self.check(f'{self.name}: {what}: passes', through and count > 0, errors)

    def start(self, program, **options):
        """A program that connects when told to."""
        peer = self.stage.denied_peer
        process = self.stage.popen([program, 'tcp-when-told', peer.address4, peer.address6], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        assert process.stdout.readline() == 'running\n'
        return process

    def told(self, process):
        """(whether it got through, bytes that reached the peer)"""
        before = self.stage.settled_bytes_to(self.stage.denied_peer)
        process.communicate('x', timeout=20)
        return process.returncode == 0, self.stage.bytes_to(self.stage.denied_peer) - before


def names(case):
    """One file, several names."""
    program = case.program('program')
    os.symlink(program, case.path('symlink'))
    os.link(program, case.path('hardlink'))
    case.block(program)
    case.blocked('by its name', program)
    case.blocked('by a symbolic link', case.path('symlink'))
    case.passes('by a hard link, which is another path', case.path('hardlink'))
    case.blocked('by its name again', program)
    case.block(case.path('symlink'))
    case.blocked('a rule about the symbolic link is one about the file', program)
    case.block(case.path('hardlink'))
    case.blocked('a rule about the hard link', case.path('hardlink'))
    case.passes('... is not about the other name', program)


def letters(case):
    """Names that are easily mistaken for each other."""
    first = case.program('program')
    others = [case.program(name) for name in ('PROGRAM', 'program ', 'pr\u00f6gramm', 'program (deleted)')]
    others.append(os.fsdecode(os.fsencode(case.folder) + b'/not-utf8-\xff\xfe'))
    shutil.copy(first, others[-1])
    case.block(first)
    case.blocked('its name', first)
    for other in others:
        case.passes(f'{os.path.basename(other)!a}', other)
    for other in others:
        case.block(other)
        case.blocked(f'a rule about {os.path.basename(other)!a}', other)
        case.passes('... is about no other', first)


def renames(case):
    program, other = case.program('program'), case.path('other')
    case.block(program)
    case.blocked('before', program)
    os.rename(program, other)
    case.passes('renamed', other)
    os.rename(other, program)
    case.blocked('renamed back', program)

    running = case.start(program)
    os.rename(program, other)
    through, _ = case.told(running)
    case.check(f'{case.name}: renamed while it runs: the path is that at the call', through)
    os.rename(other, program)

    inner = case.program('folder', 'program')
    case.block(inner)
    case.blocked('in a folder', inner)
    os.rename(case.path('folder'), case.path('moved'))
    case.passes('the folder renamed', case.path('moved', 'program'))
    inner = case.program('folder', 'program')
    case.blocked('another file in a folder of the old name', inner)
    shutil.rmtree(case.path('folder'))
    os.rename(case.path('moved'), case.path('folder'))
    case.blocked('the folder renamed back', inner)


def upgrades(case):
    """A package manager writes a new file and renames it over the old one."""
    program, other = case.program('program'), case.program('other')
    case.block(program)
    case.blocked('before', program)
    case.passes('another program', other)
    for version in range(3):
        os.rename(case.program('program.new'), program)
        case.blocked(f'upgrade {version + 1}: another inode, the same path', program)
    os.rename(other, program)
    case.blocked('a program that was permitted, moved there', program)
    os.unlink(program)
    case.program('program')
    case.blocked('removed and installed again', program)

    running = case.start(program)
    os.rename(case.program('program.new'), program)
    through, count = case.told(running)
    case.check(f'{case.name}: an upgrade while it runs: the old program stays blocked', not through and count == 0,
               f'{count} bytes out')


def deleted(case):
    program = case.program('program')
    case.block(program)
    running = case.start(program)
    os.unlink(program)
    through, count = case.told(running)
    case.check(f'{case.name}: a program that removes its own file stays blocked', not through and count == 0,
               f'{count} bytes out')


def read(path):
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read()


def memory(case):
    """A program without a file: no rule about a path is about it, one about everything is."""
    program = case.program('program')
    case.block(program)
    file = os.memfd_create('program')
    with open(program, 'rb') as source:
        os.write(file, source.read())
    peer = case.stage.denied_peer
    command = [f'/proc/self/fd/{file}', 'tcp', peer.address4, peer.address6]
    done = case.stage.run(command, pass_fds=[file])
    case.check(f'{case.name}: memfd: a rule about the file it was read from is not about it', done.returncode == 0)
    case.stage.ringwall('remove', '--all')
    case.stage.ringwall('block', '--remote', peer.address4)
    log = case.stage.monitor()
    before = case.stage.settled_bytes_to(peer)
    done = case.stage.run(command, pass_fds=[file])
    case.check(f'{case.name}: memfd: a rule about the remote is', done.returncode != 0 and
               case.stage.bytes_to(peer) == before)
    wait_for(lambda: '/memfd:program' in read(log), what='memfd: it is named')
    os.close(file)


def scripts(case):
    """The program is the interpreter."""
    interpreter, script = case.path('interpreter'), case.path('script')
    shutil.copy(os.path.realpath(sys.executable), interpreter)
    with open(script, 'w', encoding='utf-8') as text:
        text.write(PYTHON.format(interpreter=interpreter))
    os.chmod(script, 0o755)
    arguments = ['', case.stage.denied_peer.address4]
    done = case.stage.ringwall('block', '--app', script, check=False)
    case.check(f'{case.name}: a rule about the script is refused, with the reason', 'interpreter' in done.stderr)
    case.passes('without a rule', script, arguments=arguments)
    case.block(interpreter)
    case.blocked('a rule about the interpreter', script, arguments=arguments)

    program = case.program('program')
    loader = next(word for word in run('ldd', program).split() if '/ld-linux' in word)
    case.block(program)
    peer = case.stage.denied_peer
    case.passes('started through the dynamic loader, which is the program then', loader,
                arguments=[program, 'tcp', peer.address4, peer.address6])


def long_paths(case):
    parts = ['d' * 200] * ((4000 - len(case.folder)) // 201)
    program = case.program(*parts, 'program')
    other = case.program(*parts, 'other')
    case.block(program)
    case.blocked(f'{len(program)} bytes', program)
    case.passes('its neighbour', other)
    deep = case.program(*['d'] * 300, 'program')
    case.block(deep)
    case.blocked('in 300 folders', deep)
    case.passes('another one', program)


def mounts(case):
    """Every mount is made in the mount namespace of this test, or in one of the program's own."""
    program = case.program('program')
    other = case.path('place', 'program')
    os.mkdir(case.path('place'))
    run('mount', '--bind', case.folder, case.path('place'))
    case.block(program)
    case.blocked('its own place', program)
    case.passes('through a bind mount, which is another path', other)
    case.block(other)
    case.blocked('a rule about the path through the mount', other)
    case.passes('... is not about its own place', program)
    run('umount', case.path('place'))
    case.program('place', 'program')
    case.blocked('after unmounting, another file with that path', other)

    case.block(program)
    inside = f'mount -t tmpfs rw {case.folder} && cp $0 {program} && exec {program} "$@"'
    peer = case.stage.denied_peer
    case.blocked('another file with its path, in a mount namespace of its own', case.stage.programs['helper'],
                 'unshare', '--mount', 'sh', '-c', inside, arguments=['tcp', peer.address4, peer.address6])
    inside = f'mkdir -p $1; mount --bind {case.folder} $1 && shift && exec {case.path("elsewhere")}/program "$@"'
    case.passes('its file with another path, in a mount namespace of its own', 'x', 'unshare', '--mount', 'sh', '-c',
                inside, arguments=[case.path('elsewhere'), 'tcp', peer.address4, peer.address6])


def moved_mounts(case):
    first, second = case.path('first'), case.path('second')
    os.mkdir(first)
    os.mkdir(second)
    run('mount', '-t', 'tmpfs', 'rw', first)
    program = case.program('first', 'program')
    case.block(program)
    case.blocked('on its mount', program)
    run('mount', '--move', first, second)
    case.passes('the mount moved', case.path('second', 'program'))
    run('mount', '--move', second, first)
    case.blocked('the mount moved back', program)
    run('umount', first)
    case.program('first', 'program')
    case.blocked('unmounted, another file there', program)


def other_users(case):
    """Any user may make mount namespaces, and in them give a program any path: `status --coverage` says so."""
    program, other = case.program('program'), case.program('other')
    peer = case.stage.denied_peer
    command = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'unshare', '--user', '--map-root-user',
               '--mount', 'sh', '-c', f'mount --bind {other} {program} && exec "$0" "$@"']
    arguments = ['tcp', peer.address4, peer.address6]
    known = json.loads(case.stage.ringwall('status', '--coverage', '--json').stdout)['coverage']
    known = next(item for item in known if item['name'] == 'identity')
    if case.run(program, *command, arguments=arguments)[0]:
        case.check(f'{case.name}: that identity is no proof is told', known['state'] == 'partial', str(known))
        case.block(program)
        case.blocked('another file under its path', program, *command, arguments=arguments)
        case.block(other)
        case.passes('the path counts, not the file', program, *command, arguments=arguments)
    else:
        case.check(f'{case.name}: nobody may make mount namespaces, and that is told', known['state'] == 'covered',
                   str(known))


def roots(case):
    """chroot() does not shorten a path; a container with a root of its own begins at that."""
    program = case.program('root', 'opt', 'program')
    for library in (word for word in run('ldd', program).split() if word.startswith('/')):
        place = case.path('root', library[1:])
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copy(library, place)
    case.block(program)
    case.blocked('chroot: the rule has the whole path', '/opt/program', 'chroot', case.path('root'))
    case.passes('chroot: another program', case.program('other'))

    # A root of its own, in which the path of the rule is that of another file.
    outer = case.program('container')
    inside = (f'mount --bind {case.path("root")} {case.path("root")} && cd {case.path("root")} && mkdir -p old '
              f'.{case.folder} && cp opt/program .{outer} && pivot_root . old && exec "$0" "$@"')
    case.block(outer)
    peer = case.stage.denied_peer
    command = ['unshare', '--mount', 'sh', '-c', inside]
    arguments = ['tcp', peer.address4, peer.address6]
    case.blocked('pivot_root: a container\'s file with that path', outer, *command, arguments=arguments)
    case.passes('pivot_root: another path there', '/opt/program', *command, arguments=arguments)


def overlay(case):
    for name in ('lower', 'upper', 'work', 'merged'):
        os.mkdir(case.path(name))
    lower, merged = case.program('lower', 'program'), case.path('merged', 'program')
    options = f'lowerdir={case.path("lower")},upperdir={case.path("upper")},workdir={case.path("work")}'
    if subprocess.run(['mount', '-t', 'overlay', 'rw', '-o', options, case.path('merged')], check=False,
                      capture_output=True).returncode:
        print(f'skip {case.name}: this kernel has no overlayfs')
        return
    case.block(merged)
    case.blocked('the path in the overlay', merged)
    case.passes('the file below it', lower)
    os.utime(merged)  # copied up: now it lies in the upper layer
    case.blocked('copied up', merged)
    os.rename(case.program('merged', 'new'), merged)
    case.blocked('replaced', merged)
    case.block(lower)
    case.passes('a rule about the file below is not about the overlay', merged)
    run('umount', '-l', case.path('merged'))


def btrfs(case):
    image, place = case.path('image'), case.path('place')
    os.mkdir(place)
    with open(image, 'wb') as file:
        file.truncate(128 << 20)
    for command in (['mkfs.btrfs', '-q', image], ['mount', '-o', 'loop', image, place]):
        if not shutil.which(command[0]) or subprocess.run(command, check=False, capture_output=True).returncode:
            print(f'skip {case.name}: {command[0]} is not possible here')
            return
    run('btrfs', 'subvolume', 'create', os.path.join(place, 'part'))
    # Each subvolume has inode numbers of its own: these two are alike in all but the device number stat() invents.
    first, second = case.program('place', 'program'), case.program('place', 'part', 'program')
    case.block(second)
    case.blocked('in a subvolume', second)
    case.passes('beside it', first)
    case.block(first)
    case.blocked('in the volume', first)
    case.passes('in the subvolume', second)
    run('umount', '-l', place)


CASES = [names, letters, renames, upgrades, deleted, memory, scripts, long_paths, mounts,
         moved_mounts, other_users, roots, overlay, btrfs]


def main():
    skip_unless_possible()
    # Mounts of a test that dies end with its namespace, and nothing is ever removed through one.
    if LIBC.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), 'unshare')
    run('mount', '--make-rprivate', '/')
    check = Checks()
    wanted = sys.argv[1:]
    with Stage() as stage:
        for case in CASES:
            if not wanted or case.__name__ in wanted:
                stage.ringwall('remove', '--all')
                case(Case(stage, check, case.__name__))
    check.finish()


main()

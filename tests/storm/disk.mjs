// A disk that can be filled: as root a file system of its own in a file, else a limit on the
// daemon's file sizes, which meets it as the same error.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, truncateSync } from 'node:fs'
import { join } from 'node:path'

const run = (...command) => execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

export class Disk {
  /** `folder` becomes the data's place; `bytes` is the file system's size. */
  constructor(folder, bytes) {
    this.folder = join(folder, 'disk')
    this.image = join(folder, 'disk.img')
    mkdirSync(this.folder)
    this.mounted = process.getuid() === 0 && this.mount(bytes)
    this.full = false
    this.needed = false // while a daemon is being started that found it full
  }

  mount(bytes) {
    try {
      closeSync(openSync(this.image, 'w'))
      truncateSync(this.image, bytes)
      run('mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1,nodiscard', this.image)
      run('mount', '-o', 'loop,noatime', this.image, this.folder)
      return true
    } catch {
      return false // no loop devices here
    }
  }

  get how() {
    return this.mounted ? 'a file system of its own that is filled' : 'a limit on the size of files'
  }

  /** Takes what space there is; called again and again, since something may be given back. */
  fill(daemon) {
    if (this.needed) return
    this.full = true
    try {
      if (!this.mounted) return run('prlimit', `--pid=${daemon.child.pid}`, '--fsize=4096:unlimited')
      const { bavail, bsize } = statfsSync(this.folder)
      if (bavail > 0) run('fallocate', '-o', String(this.taken ?? 0), '-l', String(bavail * bsize), join(this.folder, 'ballast'))
      this.taken = (this.taken ?? 0) + bavail * bsize
    } catch {} // as full as it gets, or the daemon is away
  }

  free(daemon) {
    this.full = false
    this.taken = 0
    try {
      if (this.mounted) rmSync(join(this.folder, 'ballast'), { force: true })
      else run('prlimit', `--pid=${daemon.child.pid}`, '--fsize=unlimited:unlimited')
    } catch {} // a daemon that is started again has no limit
  }

  close() {
    if (this.mounted) run('umount', '-l', this.folder)
    this.mounted = false
  }
}

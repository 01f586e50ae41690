// A small proxy: CONNECT over HTTP or HTTPS, and SOCKS 5. It remembers who wanted to go where.
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { connect, createServer as createNet } from 'node:net'

export class Proxy {
  /** kind: http, https or socks5. user and password, if given, are asked for. resolve(host) → where it really goes. */
  constructor({ kind = 'http', user = null, password = null, tls = {}, resolve = () => '127.0.0.1' } = {}) {
    Object.assign(this, { kind, user, password, resolve })
    this.asked = [] // {host, port, headers, allowed}
    this.plain = 0 // requests that wanted no tunnel
    this.sockets = new Set()
    this.server = kind === 'socks5' ? createNet(s => this.socks(s)) : kind === 'https' ? createHttps(tls) : createHttp()
    this.server.on('request', (q, r) => (this.plain++, r.writeHead(400).end()))
    this.server.on('connect', (q, socket) => this.tunnel(q, socket))
    this.server.on('connection', s => this.sockets.add(s))
  }

  async listen() {
    await new Promise((ok, no) => this.server.once('error', no).listen(0, '127.0.0.1', ok))
    this.url = `${this.kind}://${this.kind === 'https' ? 'localhost' : '127.0.0.1'}:${this.server.address().port}`
    return this
  }

  close() {
    for (const s of this.sockets) s.destroy()
    return new Promise(ok => this.server.close(ok))
  }

  go(host, port, socket, ready) {
    const target = connect(port, this.resolve(host), () => {
      ready()
      socket.pipe(target).pipe(socket)
    })
    this.sockets.add(target)
    target.on('error', () => socket.destroy())
    target.on('close', () => socket.destroy())
    socket.on('error', () => target.destroy())
    socket.on('close', () => target.destroy())
  }

  tunnel(q, socket) {
    this.sockets.add(socket)
    const [, host, port] = /^(.*):(\d+)$/.exec(q.url)
    const wanted = this.user && `Basic ${btoa(`${this.user}:${this.password}`)}`
    const allowed = !wanted || q.headers['proxy-authorization'] === wanted
    this.asked.push({ host, port: Number(port), headers: q.headers, allowed })
    if (!allowed) return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n')
    this.go(host, port, socket, () => socket.write('HTTP/1.1 200 Connected\r\n\r\n'))
  }

  async socks(socket) {
    this.sockets.add(socket)
    socket.on('error', () => {})
    let held = Buffer.alloc(0)
    const take = async n => {
      while (held.length < n) {
        const chunk = socket.read() ?? await new Promise((ok, no) => socket.once('readable', () => ok(Buffer.alloc(0))).once('close', () => no(new Error('closed'))))
        held = Buffer.concat([held, chunk])
      }
      const part = held.subarray(0, n)
      held = held.subarray(n)
      return part
    }
    try {
      const methods = await take((await take(2))[1])
      const method = this.user ? 2 : 0
      socket.write(Buffer.from([5, methods.includes(method) ? method : 0xff]))
      if (!methods.includes(method)) return socket.end()
      let allowed = true
      if (this.user) {
        const user = (await take((await take(2))[1])).toString()
        const password = (await take((await take(1))[0])).toString()
        allowed = user === this.user && password === this.password
        socket.write(Buffer.from([1, allowed ? 0 : 1]))
      }
      const type = allowed ? (await take(4))[3] : 0
      const host = type === 3 ? (await take((await take(1))[0])).toString() : type === 1 ? (await take(4)).join('.') : ''
      const port = allowed ? (await take(2)).readUInt16BE() : 0
      this.asked.push({ host, port, byName: type === 3, allowed })
      if (!allowed) return socket.end()
      this.go(host, port, socket, () => socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])))
    } catch {
      socket.destroy()
    }
  }
}

// Holds what licet answers, and what it takes, to its own description (src/api/openapi). Daemon.api asks this of
// every exchange, so all tests of the interface are tests of the description, too.
//
// LICET_DESCRIBED=FOLDER: leaves there what this process exercised, for script/described.
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const METHODS = ['get', 'post', 'put', 'patch']
const WHERE = 'src/api/openapi/ (its README.md says how)'
const BY_THE_LIBRARY = [400, 413, 414, 431] // in HTML: nothing of ours

const normal = path => path.split('?')[0].replace(/\/+/g, '/').replace(/(.)\/$/, '$1').replace(/^\/beta(?=\/)/, '')
const pointer = (...parts) => parts.map(p => '/' + String(p).replaceAll('~', '~0').replaceAll('/', '~1')).join('')
const media = type => (type ?? '').split(';')[0].trim().toLowerCase()

/** "a[b][]=1" as an object, as the daemon reads it. */
export function formObject(text) {
  const put = (into, [name, ...rest], value) => {
    if (name === '') {
      const last = into.at(-1)
      const same = rest[0] && last && typeof last === 'object' && !(rest[0] in last)
      name = same ? into.length - 1 : into.length
    }
    if (rest.length === 0) into[name] = value
    else put((into[name] ??= rest[0] === '' || /^\d+$/.test(rest[0]) ? [] : {}), rest, value)
  }
  const all = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const head = /^[^[]+/.exec(name)?.[0]
    if (head) put(all, [head, ...[...name.matchAll(/\[([^\]]*)\]/g)].map(m => m[1])], value)
  }
  return all
}

export class Description {
  constructor(doc) {
    this.doc = doc
    this.ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true })
    addFormats(this.ajv)
    this.ajv.addVocabulary(['example', ...Object.keys(doc)])
    this.ajv.addSchema(doc, 'licet')
    this.validators = new Map()
    this.seen = {} // "POST /consent": {200: 3, …}
    this.paths = Object.entries(doc.paths).map(([path, item]) => ({
      path, item,
      pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '([^/]+)')}$`),
      names: [...path.matchAll(/\{(\w+)\}/g)].map(m => m[1]),
    })).sort((a, b) => a.names.length - b.names.length)
  }

  resolve(node) {
    return node?.$ref ? node.$ref.slice(2).split('/').reduce((at, part) => at[part.replaceAll('~1', '/').replaceAll('~0', '~')], this.doc) : node
  }

  /** [name, operation, values of the path] of each operation. */
  * operations() {
    for (const { path, item } of this.paths) {
      for (const method of METHODS) if (item[method]) yield { name: `${method.toUpperCase()} ${path}`, path, method, item, operation: item[method] }
    }
  }

  find(method, target) {
    const path = normal(target)
    const fitting = this.paths.filter(p => p.pattern.test(path))
    const name = method === 'HEAD' ? 'get' : method.toLowerCase()
    const found = METHODS.includes(name) && fitting.find(p => p.item[name])
    if (!found) return { known: fitting.length > 0 }
    const values = found.pattern.exec(path).slice(1)
    return {
      name: `${name.toUpperCase()} ${found.path}`, path: found.path, method: name, item: found.item, operation: found.item[name],
      values: Object.fromEntries(found.names.map((n, i) => [n, values[i]])),
    }
  }

  /** Why `value` is not what the schema at this place of the document says; null when it is. */
  fault(at, value) {
    if (!this.validators.has(at)) this.validators.set(at, this.ajv.compile({ $ref: `licet#${encodeURI(at)}` }))
    const validate = this.validators.get(at)
    return validate(value) ? null : this.ajv.errorsText(validate.errors, { dataVar: 'it', separator: '; ' }) +
      validate.errors.filter(e => e.params.additionalProperty).map(e => ` ("${e.params.additionalProperty}")`).join('')
  }

  /** One exchange: {method, path, headers, body} and {status, headers, text, json}. Throws when it is not as described. */
  check(request, answer) {
    const found = this.find(request.method, request.path)
    const type = media(answer.headers.get('content-type'))
    if (type === 'text/html' && BY_THE_LIBRARY.includes(answer.status)) return
    if (!found.operation) return this.checkUnknown(request, answer, found.known)
    const fail = why => assert.fail(`${request.method} ${request.path}: ${answer.status}: ${why}. Say it in ${WHERE}, or mend the code. ` +
      `The answer was: ${(answer.text ?? '').slice(0, 500)}`)
    const status = String(answer.status)
    const described = found.operation.responses[status]
    if (!described) fail('this status is not described')
    this.checkAnswer(found, status, type, request, answer, fail)
    if (answer.status < 300) this.checkRequest(found, request, fail)
    const seen = this.seen[found.name] ??= {}
    seen[status] = (seen[status] ?? 0) + 1
  }

  /** What no operation stands for: not there, another method, a preflight. */
  checkUnknown(request, answer, known) {
    const name = `${request.method} ${request.path}: ${answer.status}`
    if (request.method === 'OPTIONS') return assert.ok([204, 404, 400, 503].includes(answer.status), name)
    const expected = [400, 413, 429, 503, known ? 405 : 404]
    assert.ok(expected.includes(answer.status), `${name}: this operation is not described in ${WHERE}`)
    const fault = request.method === 'HEAD' ? null
      : this.fault(pointer('components', 'schemas', answer.status === 404 ? 'NotFound' : 'Error'), answer.json)
    if (fault) assert.fail(`${name}: ${fault}: ${answer.text}`)
  }

  checkAnswer({ path, method, operation }, status, type, request, answer, fail) {
    const ref = operation.responses[status].$ref
    const at = ref ? ref.slice(1) : pointer('paths', path, method, 'responses', status)
    const { content, headers = {} } = this.resolve(operation.responses[status])
    for (const [name, header] of Object.entries(headers)) {
      const value = answer.headers.get(name)
      if (value === null && this.resolve(header).required) fail(`the header ${name} is missing`)
      const fault = value !== null && !header.$ref && this.fault(at + pointer('headers', name, 'schema'), value)
      if (fault) fail(`the header ${name}: ${fault}`)
    }
    if (request.method === 'HEAD') return
    if (!content) {
      if (answer.text) fail('no body is described')
      return
    }
    if (!content[type]) fail(`the content type ${type || '(none)'} is not described`)
    const value = type === 'application/json' ? answer.json : answer.text
    if (type === 'application/json' && value === undefined) fail('it is no JSON')
    const fault = this.fault(at + pointer('content', type, 'schema'), value)
    if (fault) fail(`the answer is not as described: ${fault}`)
  }

  /** What was taken must be what may be sent: the description is not narrower than the code. */
  checkRequest({ path, method, item, operation, values }, request, fail) {
    const query = new URLSearchParams(request.path.split('?')[1] ?? '')
    for (const [list, at] of [[item.parameters ?? [], pointer('paths', path, 'parameters')], [operation.parameters ?? [], pointer('paths', path, method, 'parameters')]]) {
      list.forEach((p, i) => {
        const said = this.resolve(p)
        const raw = said.in === 'query' ? query.get(said.name)?.trim() : said.in === 'path' ? decodeURIComponent(values[said.name]) : undefined
        if (!raw) return
        const value = said.schema.type === 'integer' && /^\d+$/.test(raw) ? Number(raw) : raw
        const fault = this.fault((p.$ref ? p.$ref.slice(1) : at + pointer(i)) + pointer('schema'), value)
        if (fault) fail(`it was taken with the ${said.in} parameter ${said.name}=${raw}, which is not as described: ${fault}`)
      })
    }
    if (operation.requestBody && request.body !== undefined && request.body !== null) this.checkBody(pointer('paths', path, method, 'requestBody', 'content'), operation.requestBody.content, request, fail)
  }

  checkBody(at, content, request, fail) {
    const bytes = Buffer.from(request.body)
    const text = bytes.toString()
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return // gzip: the SDKs' own
    const sent = media(new Headers(request.headers).get('content-type'))
    const json = /^\s*[{[]/.test(text) && content['application/json']
    const type = json ? 'application/json' : content[sent] ? sent : Object.keys(content)[0]
    if (type === 'multipart/form-data') return // what its parts may be is not JSON's matter
    const value = type === 'application/json' ? JSON.parse(text) : type === 'application/x-www-form-urlencoded' ? formObject(text) : text
    const fault = this.fault(at + pointer(type, 'schema'), value)
    if (fault) fail(`a body was taken that is not as described: ${fault}: ${text.slice(0, 300)}`)
  }

  /** Statuses that an operation has of its own, and can be provoked: not the common answers, nothing that has to break. */
  own({ operation }) {
    const common = new Set(this.doc['x-licet-common'])
    return Object.keys(operation.responses).filter(s => s < '500' && !common.has(operation.responses[s].$ref?.split('/').at(-1)))
  }

  /** What of the description `seen` does not show: a list of lines. */
  unexercised(seen) {
    const lines = [], common = new Set()
    for (const o of this.operations()) {
      const had = seen[o.name] ?? {}
      for (const s of Object.keys(had)) common.add(o.operation.responses[s]?.$ref?.split('/').at(-1))
      const missing = this.own(o).filter(s => !had[s])
      if (missing.length) lines.push(`${o.name}: ${Object.keys(had).length ? `no test gets ${missing.join(', ')}` : 'no test at all'}`)
    }
    for (const name of this.doc['x-licet-common']) {
      if (!common.has(name) && !['Failed', 'Busy'].includes(name)) lines.push(`the common answer ${name}: no test gets it`)
    }
    return lines
  }
}

/** What processes left in a folder, added up. */
export function exercised(folder) {
  const sum = {}
  for (const file of readdirSync(folder)) {
    for (const [name, statuses] of Object.entries(JSON.parse(readFileSync(join(folder, file), 'utf8')))) {
      for (const [status, n] of Object.entries(statuses)) (sum[name] ??= {})[status] = (sum[name][status] ?? 0) + n
    }
  }
  return sum
}

let description
/** The description that belongs to this binary: the build leaves it beside it. */
export function describedBy(binary) {
  if (description) return description
  const file = join(dirname(binary), 'api/openapi.json')
  if (!existsSync(file)) throw new Error(`${file} is missing: LICET_BIN must be where it was built`)
  description = new Description(JSON.parse(readFileSync(file, 'utf8')))
  const folder = process.env.LICET_DESCRIBED
  if (folder) {
    process.on('exit', () => {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(resolve(folder), `${process.pid}.json`), JSON.stringify(description.seen))
    })
  }
  return description
}

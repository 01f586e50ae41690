// build.mjs FOLDER VERSION: bundles the browser's scripts into the folder, and writes them as C.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const [folder, version] = process.argv.slice(2)
const FILES = ['licet.js', 'licet-core.js', '../cons/iubenda_cons.js']

async function bundle(file, name) {
  await build({
    entryPoints: [join(import.meta.dirname, file)], outfile: join(folder, name), bundle: true, minify: true,
    format: 'iife', target: ['es2021'], charset: 'utf8', legalComments: 'none', logLevel: 'warning',
    define: { VERSION: JSON.stringify(version ?? '0') },
  })
  return readFile(join(folder, name))
}

const bytes = data => [...data].join(',').replace(/(.{1,110}),/g, '$1,\n')
const id = name => name.replace(/\W/g, '_')
const constant = (name, data) => `static const char ${name}[] = {\n${bytes(data.map(b => b))}\n};\n`

let text = '/* Made by web/sdk/build.mjs. */\n#include "api/sdk.h"\n\n', rows = ''
for (const file of FILES) {
  const name = basename(file)
  const plain = await bundle(file, name)
  const gzip = gzipSync(plain, { level: 9 })
  const tag = createHash('sha256').update(plain).digest('hex').slice(0, 20)
  const signed = data => Int8Array.from(data)
  text += constant(`${id(name)}_plain`, signed(plain)) + constant(`${id(name)}_gzip`, signed(gzip))
  rows += `    { "${name}", "${tag}", { ${id(name)}_plain, sizeof ${id(name)}_plain }, { ${id(name)}_gzip, sizeof ${id(name)}_gzip } },\n`
}
text += `\nconst struct sdk_script sdk_scripts[] = {\n${rows}    { 0 },\n};\n`
await writeFile(join(folder, 'sdk_scripts.c'), text)

// build.mjs FOLDER VERSION: bundles the browser's scripts into the folder.
import { basename, join } from 'node:path'
import { build } from 'esbuild'

const [folder, version] = process.argv.slice(2)
const FILES = ['licet.js', 'licet-core.js', 'licet-cmp.js', '../cons/iubenda_cons.js']

for (const file of FILES) {
  await build({
    entryPoints: [join(import.meta.dirname, file)], outfile: join(folder, basename(file)), bundle: true, minify: true,
    format: 'iife', target: ['es2021'], charset: 'utf8', legalComments: 'none', logLevel: 'warning',
    define: { VERSION: JSON.stringify(version ?? '0'), CMP: String(file === 'licet-cmp.js') },
  })
}

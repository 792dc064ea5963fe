// Yjs as a receiver: a document that does nothing but take the updates that another one made, each of which sets
// keys of a map to 100 bytes. usage: node merge.mjs FOLDER OPERATIONS KEYS TOGETHER
// FOLDER has node_modules/; TOGETHER: keys set by one update. Prints: version, updates' bytes for each set, ns of CPU
// time for each (of the whole process, its collector's threads too), whether all keys came.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const VALUE_BYTES = 100
const STEP = 829347851 // shares no divisor with the numbers of keys
const POOL_BYTES = 1 << 20

const [folder, ...numbers] = process.argv.slice(2)
const [operations, keys, together] = numbers.map(Number)
const require = createRequire(resolve(folder) + '/')
const Y = require('yjs')

const pool = new Uint8Array(POOL_BYTES)
for (let i = 0, x = 1; i < POOL_BYTES; i++) {
  x = Math.imul(x, 1664525) + 1013904223 | 0
  pool[i] = x >>> 24
}

const updates = []
const writer = new Y.Doc()
writer.clientID = 0xc0ffee42 // as long as most that it draws
const map = writer.getMap('m')
writer.on('update', update => updates.push(update))
for (let i = 0; i < operations; i += together)
  writer.transact(() => {
    for (let j = i; j < Math.min(i + together, operations); j++) {
      const at = j * VALUE_BYTES % (POOL_BYTES - VALUE_BYTES)
      const key = 'key-' + String(Number(BigInt(j) * BigInt(STEP) % BigInt(keys))).padStart(12, '0')
      map.set(key, pool.slice(at, at + VALUE_BYTES))
    }
  })

let bytes = 0
for (const update of updates) bytes += update.length

const receiver = new Y.Doc()
const taken = receiver.getMap('m')
const before = process.cpuUsage()
for (const update of updates) Y.applyUpdate(receiver, update)
const used = process.cpuUsage(before)

console.log(require('yjs/package.json').version, bytes / operations, (used.user + used.system) * 1000 / operations,
  taken.size === Math.min(keys, operations) ? 'whole' : 'wrong')

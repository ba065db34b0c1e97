/**
 * Bodies larger than memory should be: uploads as they are and in a form, one that stops half-way, and a download that is
 * interrupted and resumed.
 *
 * When to reach for it: `soak.ts transfer`.
 * What it is not: a measure of speed. What counts is the memory of the worker, the bytes, and what is left on disk.
 */
import { createHash, type Hash } from "node:crypto"
import { once } from "node:events"
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from "node:fs"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as App from "./App.ts"
import { settles } from "./Child.ts"
import { mebibytes, problemsOf, seconds, type Soak } from "./Soak.ts"

const server = fileURLToPath(new URL("transferServer.ts", import.meta.url))

const MIB = 1_048_576
/** What a worker may take above what it has when it is idle. */
const ALLOWED = 150 * MIB

// One mebibyte after the other, each different from the one before.
const blockOf = (index: number): Buffer => {
  const block = Buffer.alloc(MIB, index % 251)
  block.writeUInt32BE(index)
  return block
}

interface Answer {
  readonly status: number
  readonly text: string
}

const answerOf = async (request: Http.ClientRequest): Promise<Answer> => {
  const [response] = await once(request, "response") as [Http.IncomingMessage]
  let text = ""
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode!, text }
}

// Sends blocks as fast as they are taken; what was sent is in the digest.
const send = async (request: Http.ClientRequest, count: number): Promise<string> => {
  const hash = createHash("sha256")
  for (let index = 0; index < count; index++) {
    const block = blockOf(index)
    hash.update(block)
    if (!request.write(block)) await once(request, "drain")
  }
  return hash.digest("hex")
}

const HEAD = "--SOAK\r\ncontent-disposition: form-data; name=\"file\"; filename=\"large.bin\"\r\n\r\n"
const TAIL = "\r\n--SOAK--\r\n"

const upload = async (port: number, count: number): Promise<boolean> => {
  const headers = { "content-length": count * MIB }
  const request = Http.request({ port, host: "127.0.0.1", method: "PUT", path: "/raw", headers, agent: false })
  const answer = answerOf(request)
  const digest = await send(request, count)
  request.end()
  return (await answer).text === digest
}

const uploadForm = async (port: number, count: number): Promise<boolean> => {
  const headers = {
    "content-type": "multipart/form-data; boundary=SOAK",
    "content-length": HEAD.length + count * MIB + TAIL.length
  }
  const request = Http.request({ port, host: "127.0.0.1", method: "POST", path: "/form", headers, agent: false })
  const answer = answerOf(request)
  request.write(HEAD)
  const digest = await send(request, count)
  request.end(TAIL)
  return (await answer).text === digest
}

// Leaves in the middle; the file is there until then, and gone soon after.
const leave = async (port: number, count: number, bodies: string, path: string, method: string): Promise<boolean> => {
  const type = path === "/form" ? { "content-type": "multipart/form-data; boundary=SOAK" } : {}
  const headers = { "content-length": HEAD.length + count * MIB + TAIL.length, ...type }
  const request = Http.request({ port, host: "127.0.0.1", method, path, headers, agent: false })
  request.on("error", () => {})
  if (path === "/form") request.write(HEAD)
  await send(request, Math.ceil(count / 2))
  const wasThere = await settles(() => readdirSync(bodies).length === 1)
  request.destroy()
  return wasThere && await settles(() => readdirSync(bodies).length === 0)
}

// Reads from an offset, up to a number of bytes, into the digest; what it got, and the entity tag.
const download = async (port: number, from: number, most: number, hash: Hash, etag?: string) => {
  const headers = etag === undefined ? {} : { range: `bytes=${from}-`, "if-range": etag }
  const request = Http.get({ port, host: "127.0.0.1", path: "/files/large.bin", headers, agent: false })
  request.on("error", () => {})
  const [response] = await once(request, "response") as [Http.IncomingMessage]
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const bytes = chunk.subarray(0, most - size)
    hash.update(bytes)
    size += bytes.length
    if (size === most) break
  }
  request.destroy()
  return { size, status: response.statusCode!, etag: response.headers.etag }
}

const resumed = async (port: number, count: number, digest: string): Promise<boolean> => {
  const hash = createHash("sha256")
  const first = await download(port, 0, Math.floor(count * MIB / 3) + 7, hash)
  const second = await download(port, first.size, Number.POSITIVE_INFINITY, hash, first.etag)
  return first.status === 200 && second.status === 206 && first.size + second.size === count * MIB &&
    hash.digest("hex") === digest
}

const writeFile = (path: string, count: number): string => {
  const hash = createHash("sha256")
  const descriptor = openSync(path, "w")
  for (let index = 0; index < count; index++) {
    const block = blockOf(index)
    hash.update(block)
    writeSync(descriptor, block)
  }
  closeSync(descriptor)
  return hash.digest("hex")
}

export const soak: Soak = async (count) => {
  const folder = mkdtempSync(join(tmpdir(), "kore-fx-soak-"))
  const bodies = join(folder, "bodies")
  const files = join(folder, "files")
  mkdirSync(bodies)
  mkdirSync(files)
  const digest = writeFile(join(files, "large.bin"), count)
  const app = await App.start(server, [bodies, files])
  try {
    // What is made once, code say, is made before.
    await upload(app.port, 8)
    await uploadForm(app.port, 8)
    const idle = App.memory(app.worker).resident
    const rows: Array<ReadonlyArray<string>> = []
    const claims: Record<string, boolean> = {}
    const step = async (name: string, run: () => Promise<boolean>): Promise<void> => {
      App.resetPeak(app.worker)
      const start = performance.now()
      const isRight = await run()
      const above = App.memory(app.worker).peak - idle
      rows.push([name, mebibytes(above), seconds(performance.now() - start), String(readdirSync(bodies).length)])
      claims[`${name} was not as it should be`] = isRight
      claims[`${name} took ${mebibytes(above)} above idle, and may take ${mebibytes(ALLOWED)}`] = above < ALLOWED
      claims[`${name} left files`] = await settles(() => readdirSync(bodies).length === 0)
    }
    await step("raw upload", () => upload(app.port, count))
    await step("multipart upload", () => uploadForm(app.port, count))
    await step("raw upload, left half-way", () => leave(app.port, count, bodies, "/raw", "PUT"))
    await step("multipart upload, left half-way", () => leave(app.port, count, bodies, "/form", "POST"))
    await step("download, interrupted and resumed", () => resumed(app.port, count, digest))
    return {
      title: `transfer: ${count} MiB up and down`,
      header: ["", "peak above idle", "time", "files right after"],
      rows,
      notes: [`The worker has ${mebibytes(idle)} of resident memory when it is idle. Digests compared: all.`],
      problems: problemsOf(claims)
    }
  } finally {
    await app.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * The scenarios, as data.
 *
 * When to reach for it: to see what is measured, or to measure something else.
 * What it is not: a sample of what the web does. Each stresses one thing that every framework has to do.
 */
import { catalog } from "./catalog.ts"
import { files } from "./files.ts"
import { order } from "./order.ts"
import { request, type Scenario } from "./Scenario.ts"

const TEXT = "text/plain; charset=utf-8"
const JSON_TYPE = "application/json"

// What a current desktop browser sends with a request of its own, cookies of two sites' worth included.
const BROWSER = [
  ["Connection", "keep-alive"],
  ["Sec-Ch-Ua", "\"Chromium\";v=\"148\", \"Not/A)Brand\";v=\"24\""],
  ["Sec-Ch-Ua-Mobile", "?0"],
  ["User-Agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36"],
  ["Accept", "application/json, text/plain, */*"],
  ["Sec-Fetch-Site", "same-origin"],
  ["Sec-Fetch-Mode", "cors"],
  ["Sec-Fetch-Dest", "empty"],
  ["Referer", "https://blog.example/users/1815"],
  ["Accept-Encoding", "gzip, deflate, br, zstd"],
  ["Accept-Language", "en-GB,en;q=0.9,de;q=0.8"],
  ["Cookie", "session=5f0c1b7a9d4e4c3f8a6b2e1d0c9f8e7d; theme=dark"]
] as const

const slug = "notes-on-the-analytical-engine"
const json = JSON.stringify(order)

const hello: Scenario = {
  name: "hello",
  title: "GET / answered with 13 bytes of text",
  connections: 64,
  pipeline: 1,
  standard: true,
  request: request("GET /", []),
  contentType: TEXT,
  body: "Hello, world!"
}

const typed: Scenario = {
  name: "typed",
  title: "GET /users/:id/posts/:slug, both validated, 12 browser-like headers, JSON answer",
  connections: 64,
  pipeline: 1,
  standard: true,
  request: request(`GET /users/1815/posts/${slug}`, BROWSER),
  contentType: JSON_TYPE,
  body: JSON.stringify({ id: 1815, slug, title: `Post ${slug} of user 1815` }),
  invalid: request(`GET /users/eighteen/posts/${slug}`, BROWSER)
}

const echo: Scenario = {
  name: "json",
  title: "POST /orders with 1 KiB of JSON, validated and echoed as JSON",
  connections: 64,
  pipeline: 1,
  standard: true,
  request: request("POST /orders", [["Content-Type", JSON_TYPE], ["Accept", JSON_TYPE]], json),
  contentType: JSON_TYPE,
  body: json,
  invalid: request("POST /orders", [["Content-Type", JSON_TYPE]], JSON.stringify({ ...order, items: "none" }))
}

const pipelined: Scenario = {
  ...hello,
  name: "pipelined",
  title: "hello, 16 requests at a time on each connection",
  pipeline: 16,
  standard: false
}

const SERVES_FILES = ["kore-fx", "fastify", "hono", "serve-static", "nginx"]

const fileOf = (name: keyof typeof files, title: string): Scenario => ({
  name: `static-${name.slice(0, -4)}`,
  title,
  connections: 64,
  pipeline: 1,
  standard: true,
  peers: SERVES_FILES,
  request: request(`GET /files/${name}`, [["Accept-Encoding", "identity"]]),
  contentType: TEXT,
  body: files[name]
})

const compressed: Scenario = {
  name: "compressed",
  title: "GET /catalog answered with 20 KiB of JSON, encoded with gzip at level 6",
  connections: 64,
  pipeline: 1,
  standard: true,
  peers: ["kore-fx", "fastify", "hono", "node-http"],
  request: request("GET /catalog", [["Accept", JSON_TYPE], ["Accept-Encoding", "gzip"]]),
  contentType: JSON_TYPE,
  coding: "gzip",
  body: JSON.stringify(catalog)
}

/** Every scenario. */
export const scenarios: ReadonlyArray<Scenario> = [
  hello,
  typed,
  echo,
  fileOf("small.txt", "GET /files/small.txt, a file of 1 KiB"),
  fileOf("large.txt", "GET /files/large.txt, a file of 1 MiB"),
  compressed,
  pipelined
]

/**
 * Writes an app of many typed routes, to be type-checked.
 *
 * When to reach for it: `types.ts` compares an app of 100 routes with one of a single route.
 * What it is not: run, ever. Only the compiler looks at it.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const PER_FILE = 10

// Names differ from route to route, so that the compiler cannot take the types of one for another.
const reading = (n: number): string => `
class Item${n} extends Schema.Class<Item${n}>("Item${n}")({
  id: Schema.Int,
  part: Schema.String,
  title${n}: Schema.NonEmptyString,
  tags: Schema.Array(Schema.String),
  owner: Schema.Struct({ name: Schema.NonEmptyString, age: Schema.Int })
}) {}

export const get${n} = Route.get(
  "/items${n}/:id/parts/:part",
  {
    path: { id: Schema.Int, part: Schema.String },
    query: { q: Schema.String, page: Schema.optionalKey(Schema.Int) },
    success: Item${n}
  },
  function*({ path, query }) {
    if (query.page === 0) return yield* new Missing({ id: path.id })
    const title = yield* (yield* Titles).of(path.id)
    const owner = { name: query.q, age: query.page ?? 1 }
    return new Item${n}({ id: path.id, part: path.part, title${n}: title, tags: [], owner })
  }
)
`

const writing = (n: number): string => `
const Change${n} = Schema.Struct({
  title${n}: Schema.NonEmptyString,
  price: Schema.optionalKey(Schema.Finite),
  lines: Schema.Array(Schema.Struct({ sku: Schema.String, quantity: Schema.Int }))
})

export const put${n} = Route.put(
  "/items${n}/:id/lines/:line",
  {
    path: { id: Schema.Int, line: Schema.Int },
    query: { dry: Schema.optionalKey(Schema.Boolean) },
    body: Change${n},
    success: Schema.Struct({ id: Schema.Int, changed: Schema.Struct({ ...Change${n}.fields }) })
  },
  ({ body, path, query }) =>
    query.dry === true || path.line > body.lines.length
      ? Effect.fail(new Missing({ id: path.id }))
      : Effect.succeed({ id: path.id, changed: body })
)
`

const COMMON = `import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { HttpError } from "kore-fx"

export class Missing extends HttpError.TaggedError<Missing>()("Missing", { id: Schema.Int }, { httpStatus: 404 }) {}

export class Titles extends Context.Service<Titles, {
  readonly of: (id: number) => Effect.Effect<string>
}>()("types/Titles") {}
`

const HEADER = `import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Route } from "kore-fx"
import { Missing, Titles } from "./common.ts"

export const used = [Effect, Missing, Titles]
`

const isReading = (n: number): boolean => n % 2 === 0

const routesFile = (from: number, to: number): string => {
  let text = HEADER
  for (let n = from; n < to; n++) text += isReading(n) ? reading(n) : writing(n)
  return text
}

const mainFile = (routes: number): string => {
  const files = Array.from({ length: Math.ceil(routes / PER_FILE) }, (_, i) => i)
  const names = Array.from({ length: routes },
    (_, n) => `routes${Math.floor(n / PER_FILE)}.${isReading(n) ? "get" : "put"}${n}`)
  return `import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Domain, Kore, Server } from "kore-fx"
import { Titles } from "./common.ts"
${files.map((i) => `import * as routes${i} from "./routes${i}.ts"`).join("\n")}

export const app = Kore.app({
  servers: { main: Server.tcp({ host: "127.0.0.1", port: 8888, tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [
    ${names.join(",\n    ")}
  ]).pipe(Layer.provide(Layer.succeed(Titles, { of: (id) => Effect.succeed(String(id)) })))
})

Effect.runFork(Kore.main(app))
`
}

const CONFIG = {
  extends: "../../../tsconfig.base.json",
  include: ["*.ts"],
  compilerOptions: {
    noEmit: true,
    composite: false,
    incremental: false,
    declaration: false,
    declarationMap: false,
    rewriteRelativeImportExtensions: false,
    allowImportingTsExtensions: true
  }
}

/** Writes an app of this many routes below `benchmarks/.types`; returns its folder. */
export const generate = (routes: number): string => {
  const folder = fileURLToPath(new URL(`../.types/${routes}`, import.meta.url))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string) => writeFileSync(`${folder}/${name}`, text)
  write("tsconfig.json", JSON.stringify(CONFIG, undefined, 2))
  write("common.ts", COMMON)
  for (let from = 0; from < routes; from += PER_FILE) {
    write(`routes${from / PER_FILE}.ts`, routesFile(from, Math.min(routes, from + PER_FILE)))
  }
  write("main.ts", mainFile(routes))
  return folder
}

/** Each house rule that the linter checks: code that breaks it in the place where it holds, and where it does not. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { properties } from "../../oxlint.config.ts"
import { root } from "../tsgo.ts"

interface Case {
  readonly title: string
  readonly path: string
  readonly code: string
  /** The rule that is broken; `undefined`: none. */
  readonly rule: string | undefined
}

const cases: Array<Case> = []
/** `code` breaks `rule` at `path`, and is fine at each of `allowed`. */
const forbids = (rule: string, code: string, path: string, ...allowed: ReadonlyArray<string>) => {
  cases.push({ title: `${path} must not: ${code}`, path, code, rule })
  for (const place of allowed) cases.push({ title: `${place} may: ${code}`, path: place, code, rule: undefined })
}

const core = "packages/core/src"
const http = "packages/http/src"
const kore = "packages/kore-fx/src"
const cli = "packages/cli/src"
const noImport = "eslint(no-restricted-imports)"
const noProperty = "eslint(no-restricted-properties)"

// Packages
forbids(noImport, "import \"@kore-fx/http\"", core, kore, cli)
forbids(noImport, "import \"@kore-fx/http/Route\"", core)
forbids(noImport, "import \"kore-fx\"", core, cli, "examples/a")
forbids(noImport, "import \"kore-fx\"", http)
forbids(noImport, "import \"@kore-fx/cli\"", kore)
forbids(noImport, "import \"@kore-fx/cli\"", "packages/kore-fx/test")
forbids(noImport, "import \"@kore-fx/pg\"", http)
forbids(noImport, "import \"@kore-fx/core\"", core, http)
forbids(noImport, "export * from \"@kore-fx/http\"", core)
forbids(noImport, "export const load = () => import(\"@kore-fx/http\")", core)
forbids(noImport, "import type { Route } from \"@kore-fx/http\"; export type R = Route.Route", core)
// Private paths
forbids(noImport, "import \"@kore-fx/core/internal/Ring\"", http)
forbids(noImport, "import \"@kore-fx/core/native/Libc\"", http)
forbids(noImport, "import \"kore-fx/legacy/internal/Run\"", "examples/a")
forbids(noImport, "import \"@kore-fx/core/src/Lock.ts\"", "examples/a")
forbids(noImport, "import \"../../core/src/Lock.ts\"", "packages/http/test")
forbids(noImport, "import \"../../packages/core/src/Lock.ts\"", "benchmarks")
forbids(noImport, "import \"../../../scratchpad/x.ts\"", core)
// Effect
forbids(noImport, "import { Effect } from \"effect\"; export const e = Effect.void", core, "packages/core/test",
  "examples/a")
forbids(noImport, "import \"effect/http/Headers\"", core, "examples/a")
forbids(noImport, "import \"effect/http/Headers\"", http, `${http}/internal/effectHttp.ts`, `${http}/Response.ts`)
forbids(noImport, "import \"node:ffi\"", http, `${core}/native`)
forbids(noImport, "import \"node:ffi\"", core)
// Running
const run = "import * as Effect from \"effect/Effect\"; Effect.runFork(Effect.void)"
forbids(noProperty, run, core, `${core}/Fibers.ts`, `${http}/Exchange.ts`, `${cli}/bin.ts`, "examples/a",
  "packages/core/test")
// Promises
forbids("oxc(no-async-await)", "export const f = async () => 1", core, `${kore}/legacy`, "examples/a")
forbids("eslint(no-restricted-globals)", "export const p = () => new Promise(() => {})", http, `${kore}/legacy`)
forbids("eslint(no-restricted-globals)", "export const p = () => Promise.all([])", http)
forbids(noProperty, "export const p = () => globalThis.Promise", http)
forbids(noProperty, "declare const p: any; p.then(() => 1)", core, `${kore}/legacy`)
forbids("typescript(no-restricted-types)", "export type P = Promise<void>", core, `${kore}/legacy`)
forbids("typescript(no-restricted-types)", "export type P = PromiseLike<void>", core)
forbids(noProperty,
  "import * as Effect from \"effect/Effect\"; export const e = Effect.promise(() => import(\"./x.ts\"))", cli,
  `${kore}/Test.ts`)
forbids(noProperty,
  "import * as Effect from \"effect/Effect\"; export const e = Effect.tryPromise(() => import(\"./x.ts\"))", http)
// Modules
forbids("import(no-default-export)", "export default 1", core, "examples/a")
forbids("typescript(consistent-type-imports)", "export type F = typeof import(\"node:fs\")", http, `${core}/native`)
forbids("eslint(max-lines)", `${"export {}\n".repeat(401)}`, core, "packages/core/test")
cases.push(
  {
    title: "a cycle of modules",
    path: `${core}/A.ts`,
    code: "import * as B from \"./B.ts\"; export const a = () => B.b",
    rule: "import(no-cycle)"
  },
  {
    title: "its other half",
    path: `${core}/B.ts`,
    code: "import * as A from \"./A.ts\"; export const b = () => A.a",
    rule: "import(no-cycle)"
  },
  {
    title: "a cycle of types is none",
    path: `${core}/C.ts`,
    code: "import type { D } from \"./D.ts\"; export interface C { readonly d?: D }",
    rule: undefined
  },
  {
    title: "nor is its other half",
    path: `${core}/D.ts`,
    code: "import type { C } from \"./C.ts\"; export interface D { readonly c?: C }",
    rule: undefined
  }
)
// Leftovers
forbids("eslint(no-warning-comments)", "// TODO: later", core)
forbids("eslint(no-warning-comments)", "// this is a FIXME", "packages/core/test")
forbids("typescript(ban-ts-comment)", "// @ts-ignore\nexport const x: number = \"\"", "packages/core/test")
forbids("typescript(ban-ts-comment)", "// @ts-nocheck", core)
forbids("typescript(ban-ts-comment)", "// @ts-expect-error\nexport const x: number = \"\"", core)
forbids("vitest(no-focused-tests)", "import { it } from \"vitest\"; it.only(\"a\", () => {})",
  "packages/core/test/a.test.ts")
forbids("vitest(no-disabled-tests)", "import { it } from \"vitest\"; it.skip(\"a\", () => {})",
  "packages/core/test/b.test.ts")
// Types
const floating = "const f = async () => 1; f()"
forbids("typescript(no-floating-promises)", floating, "packages/core/test")

describe("the linter", () => {
  const said = new Map<Case, ReadonlyArray<string>>()
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kore-fx-lint-")))
  afterAll(() => rmSync(folder, { recursive: true }))

  beforeAll(() => {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
    for (const name of ["oxlint.config.ts", "tsconfig.base.json"]) cpSync(join(root, name), join(folder, name))
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: "./tsconfig.base.json",
        include: ["**/*.ts"],
        compilerOptions: { noEmit: true, composite: false }
      })
    )
    const files = new Map<string, Case>()
    for (const [index, test] of cases.entries()) {
      const path = test.path.endsWith(".ts") ? test.path : join(test.path, `Case${index}.ts`)
      assert.isFalse(files.has(path), `${path} is there twice`)
      files.set(path, test)
      mkdirSync(join(folder, dirname(path)), { recursive: true })
      writeFileSync(join(folder, path), test.code)
    }
    const { stdout } = spawnSync(join(root, "node_modules/.bin/oxlint"), ["-f", "json"], {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 1 << 26
    })
    const { diagnostics } = JSON.parse(stdout) as {
      readonly diagnostics: ReadonlyArray<{ readonly filename: string; readonly code: string }>
    }
    for (const [path, test] of files) {
      said.set(test, diagnostics.filter(({ filename }) => filename === path).map(({ code }) => code))
    }
  })

  it.each(cases)("$title", (test) => {
    if (test.rule === undefined) assert.deepStrictEqual(said.get(test), [])
    else assert.include(said.get(test) ?? [], test.rule)
  })

  it("knows every way in which Effect runs", () => {
    const [, ...restrictions] = properties()
    assert.includeMembers(
      restrictions.map(({ property }) => property),
      Object.keys(Effect).filter((name) => /^run(?![a-z])|[pP]romise$/.test(name))
    )
  })
})

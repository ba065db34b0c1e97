import { assert, describe, it } from "vitest"
import { check, type File, rules } from "../house-rules.ts"

const header = "/** What it is. */\n"
const index: File = { path: "packages/http/src/index.ts", text: `${header}export * as Route from "./Route.ts"\n` }
const catalog: File = { path: "pnpm-workspace.yaml", text: "catalog:\n  effect: 4.1.0\n" }

const manifest = (change: object): string =>
  JSON.stringify({
    name: "@kore-fx/http",
    license: "ISC",
    engines: { node: ">=26.10.0" },
    exports: { ".": "./src/index.ts", "./internal/*": null },
    files: ["src/**/*.ts", "dist/**/*.js"],
    publishConfig: {
      exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" }, "./internal/*": null }
    },
    dependencies: { "@kore-fx/core": "workspace:^" },
    peerDependencies: { effect: "^4.1.0" },
    ...change
  })

interface Case {
  readonly rule: string
  readonly path: string
  readonly bad: string
  readonly good: string
  readonly others: ReadonlyArray<File>
}

const cases: Array<Case> = []
const rule = (rule: string, path: string, bad: string, good: string, ...others: ReadonlyArray<File>) =>
  cases.push({ rule, path, bad, good, others })
const manifestRule = (change: object, ...others: ReadonlyArray<File>) =>
  rule("manifest", "packages/http/package.json", manifest(change), manifest({}), catalog, ...others)

rule("module-header", "packages/core/src/Lock.ts", "const x = 1", `${header}const x = 1`)
rule("module-header", "packages/cli/src/bin.ts", "#!/usr/bin/env node\nrun()", `#!/usr/bin/env node\n${header}run()`)
rule(
  "docstring",
  "packages/http/src/Route.ts",
  `${header}\nexport const get = 1`,
  `${header}\n/** Gets. */\nexport const get = 1`,
  index
)
rule("test-modifier", "packages/core/test/a.test.ts", "it.effect.only(\"x\", f)", "it.effect(\"x\", f)")
rule("test-modifier", "packages/core/test/a.test.ts", "describe.skip(\"x\", f)", "describe(\"x\", f)")
rule("test-modifier", "packages/core/test/a.test.ts", "it.todo(\"x\")", "it.skipIf(isRoot)(\"x\", f)")
rule(
  "ffi",
  "packages/core/src/Listener.ts",
  `${header}process.getBuiltinModule("node:ffi")`,
  `${header}// not with node:ffi`
)
rule(
  "disable-reason",
  "packages/core/src/a.ts",
  `${header}// oxlint-disable-next-line eqeqeq`,
  `${header}// oxlint-disable-next-line eqeqeq -- null is meant too`
)
manifestRule({ license: "MIT" })
manifestRule({ engines: { node: ">=20" } })
manifestRule({ publishConfig: { exports: {} } })
manifestRule({ files: ["test/**"] })
manifestRule({ dependencies: { "kore-fx": "workspace:^" } })
manifestRule({ dependencies: { "@kore-fx/core": "^0.1.0" } })
manifestRule({ peerDependencies: { effect: "4.1.0" } })
manifestRule({ peerDependencies: { effect: "^4.0.0" } })
manifestRule(
  {
    exports: { ".": "./src/index.ts" },
    publishConfig: { exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } } }
  },
  { path: "packages/http/src/internal/latin1.ts", text: header }
)
rule("lockfile", "pnpm-lock.yaml", "resolution: {tarball: x}", "resolution: {integrity: sha512-x}")
rule("lockfile", "pnpm-lock.yaml", "https://registry/x", "x@1.0.0")
// In pieces, because the rule looks at this file too.
rule("machine-path", "docs/a.md", `see /${"work"}/main/docs`, "see docs")
rule("machine-path", "packages/core/test/a.ts", `"/${"root"}/.npm"`, "chroot(\"/root\")")

/** The rules that one file breaks, beside others. */
const broken = (path: string, text: string, others: ReadonlyArray<File> = []): ReadonlyArray<string> =>
  check([{ path, text }, ...others]).filter((violation) => violation.path === path).map(({ rule }) => rule)

describe("each rule can fail, and is content with the right thing", () => {
  it.each(cases)("$rule: $path: $bad", ({ bad, good, others, path, rule }) => {
    assert.deepStrictEqual(broken(path, bad, others), [rule])
    assert.deepStrictEqual(broken(path, good, others), [])
  })

  const vague = [
    "packages/core/src/utils.ts",
    "packages/http/src/common/Fields.ts",
    "examples/tour/HttpUtils.ts",
    "tools/test-helpers.ts"
  ]
  it.each(vague)("file-name: %s", (path) => assert.deepStrictEqual(broken(path, header), ["file-name"]))

  const named = ["packages/core/src/Utility.ts", "packages/http/test/Router.case.test.ts", "docs/commons.md"]
  it.each(named)("file-name is content with %s", (path) => assert.deepStrictEqual(broken(path, header), []))

  it.each(["packages/http/srv.tmp.ts", "packages/cli/src/tmp.bin.ts"])("temporary-file: %s",
    (path) => assert.include(broken(path, header), "temporary-file"))

  it("no rule is without a case", () => {
    const tested = new Set([...cases.map(({ rule }) => rule), "file-name", "temporary-file"])
    assert.sameMembers(Object.keys(rules), [...tested])
  })

  it("a docstring of a value covers the type of the same name", () => {
    const text = `${header}\n/** One. */\nexport const Route = 1\nexport type Route = 1\n`
    assert.deepStrictEqual(broken("packages/http/src/Route.ts", text, [index]), [])
  })

  it("a violation has its line", () => {
    const [violation] = check([{ path: "packages/core/src/a.ts", text: `${header}\nimport "node:ffi"` }])
    assert.strictEqual(violation?.line, 3)
  })
})

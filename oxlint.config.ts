/**
 * The linter's rules: oxlint's own for correctness, and the house rules that oxlint has a rule for.
 *
 * What it cannot say is in `tools/house-rules.ts`; `docs/contributing.md` lists every rule with the tool that checks it;
 * `tools/test/lint.test.ts` shows that each rule can fail. In oxlint a later override replaces the options of a rule, so
 * every place gets its full list from the two functions below.
 */
import { defineConfig } from "oxlint"

// --- imports ---------------------------------------------------------------------------------------------------------

interface Forbidden {
  readonly regex: string
  readonly message: string
}

/** Packages by level: each may depend on those of the levels before it. */
const levels = [["core"], ["http", "pg", "proc"], ["kore-fx"], ["cli"]]
const packages = levels.flat()
const npmName = (name: string): string => name === "kore-fx" ? "kore-fx" : `@kore-fx/${name}`
const anyOf = (names: ReadonlyArray<string>): string => `(${names.map(npmName).join("|")})`

const effectIndex: Forbidden = {
  regex: "^effect(/index)?$",
  message: "Import Effect by module path: `import * as Layer from \"effect/Layer\"`. The index doubles a worker's boot."
}

const effectHttp: Forbidden = {
  regex: "^effect/http(/|$)",
  message: "effect/http is unstable upstream: in http import it through internal/effectHttp.ts; core knows no HTTP."
}

const ffi: Forbidden = {
  regex: "^node:ffi$",
  message: "Foreign functions are called in packages/core/src/native and nowhere else."
}

const everywhere: ReadonlyArray<Forbidden> = [
  { regex: "(^|/)scratchpad(/|$)", message: "The scratchpad is thrown away: nothing imports it." },
  {
    regex: `^${anyOf(packages)}/(.*/)?(internal|native|src|test|dist)/`,
    message: "That is private to its package: import what the package exports."
  },
  {
    regex: `^(\\.\\./)+(packages/)?(${packages.join("|")})/(src|test|dist)(/|$)`,
    message: "Import another package by its name, not by a path into its folder."
  }
]

/** `no-restricted-imports` for the files of a package, or for those of none. */
const imports = (
  name: string | undefined,
  ...more: ReadonlyArray<Forbidden>
): ["error", { patterns: Array<Forbidden> }] => {
  const level = levels.findIndex((names) => name !== undefined && names.includes(name))
  const upwards: ReadonlyArray<Forbidden> = level < 0 || level === levels.length - 1 ? [] : [{
    regex: `^${anyOf(levels.slice(level).flat().filter((other) => other !== name))}(/|$)`,
    message: "Dependencies between packages point one way: cli → kore-fx → http, pg, proc → core."
  }]
  return ["error", { patterns: [...everywhere, ...upwards, ...more] }]
}

/** As `imports`, for the sources of a package, which do not import themselves by name. */
const sourceImports = (name: string, ...more: ReadonlyArray<Forbidden>) =>
  imports(name, effectIndex, {
    regex: `^${npmName(name)}(/|$)`,
    message: "Import a module of the same package by its path."
  }, ...more)

// --- running Effects and meeting Promises ----------------------------------------------------------------------------

const runs = [
  "runCallback",
  "runCallbackWith",
  "runFork",
  "runForkWith",
  "runPromise",
  "runPromiseExit",
  "runPromiseExitWith",
  "runPromiseWith",
  "runSync",
  "runSyncExit",
  "runSyncExitWith",
  "runSyncWith"
]

interface Restriction {
  readonly object?: string
  readonly property: string
  readonly message: string
}

/** `no-restricted-properties`: `Effect.run*` but where an edge starts fibers, Promises but where Node or a user has one. */
export const properties = (
  edge: { readonly runs?: boolean; readonly promises?: boolean } = {}
): ["error", ...Array<Restriction>] => {
  const run = runs.map((property): Restriction => ({
    object: "Effect",
    property,
    message: "Library code returns Effects. Edges that start fibers are listed in oxlint.config.ts."
  }))
  const message = "No Promises in library code. Edges that meet them are listed in oxlint.config.ts."
  const promise: ReadonlyArray<Restriction> = [
    { property: "then", message },
    { object: "Effect", property: "promise", message },
    { object: "Effect", property: "tryPromise", message },
    { object: "globalThis", property: "Promise", message }
  ]
  return ["error", ...(edge.runs ? [] : run), ...(edge.promises ? [] : promise)]
}

/** Where fibers are started by hand: a request, a task, an observer of Node's events. */
const runEdges = [
  "packages/core/src/Fibers.ts",
  "packages/core/src/internal/GatherImpl.ts",
  "packages/core/src/internal/TaskImpl.ts",
  "packages/core/src/internal/Ticks.ts",
  "packages/core/src/internal/TimerImpl.ts",
  "packages/core/src/Tracer.ts",
  "packages/http/src/HttpServer.ts",
  "packages/http/src/Exchange.ts"
]

/** Where Promises are met and fibers are started: the Promise adapter, the command's entry and its loader of app files. */
const promiseEdges = [
  "packages/kore-fx/src/legacy.ts",
  "packages/kore-fx/src/legacy/**",
  "packages/cli/src/bin.ts",
  "packages/cli/src/internal/findSyntaxError.ts",
  "packages/cli/src/internal/load.ts"
]

/** Where a module is imported only when it is needed. */
const lazyImports = [
  "packages/kore-fx/src/Kore.ts",
  "packages/kore-fx/src/Test.ts",
  "packages/cli/src/internal/boot.ts"
]

// --- the rules -------------------------------------------------------------------------------------------------------

export default defineConfig({
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "vitest"],
  categories: { correctness: "error" },
  options: { typeAware: true, reportUnusedDisableDirectives: "error" },
  // Obligatory: without it oxlint walks node_modules.
  ignorePatterns: ["**/node_modules/**", "**/dist/**", "scratchpad/**", ".examples/**",
    "packages/*/test/types/negative/**"],
  rules: {
    "eqeqeq": "error",
    "prefer-const": "error",
    "unicorn/prefer-node-protocol": "error",
    "no-warning-comments": ["error", { terms: ["todo", "fixme", "xxx"], location: "anywhere" }],
    "typescript/ban-ts-comment": ["error", { "ts-expect-error": "allow-with-description" }],
    "no-restricted-imports": imports(undefined),
    // It takes the early `return` of an `Effect.gen` for a missing value.
    "typescript/consistent-return": "off",
    // Fields of errors and of Schema classes are spread on purpose.
    "typescript/no-misused-spread": "off",
    // The functions of Node that are replaced for a moment.
    "typescript/unbound-method": "off",
    // Requests and responses are full of control characters.
    "no-control-regex": "off",
    // A copy is iterated where the loop changes the original.
    "unicorn/no-useless-spread": "off",
    // A generator that never waits is still an Effect.
    "require-yield": "off",
    // The compiler says it.
    "no-unused-vars": "off",
    // `new Array(n)` makes room at once, where it matters.
    "unicorn/no-new-array": "off",
    // It does not know `it.effect`, nor `assert` of @effect/vitest.
    "vitest/no-standalone-expect": "off",
    "vitest/expect-expect": "off",
    "vitest/no-conditional-tests": "off",
    "vitest/valid-title": "off",
    "vitest/require-mock-type-parameters": "off",
    "vitest/no-focused-tests": "error",
    "vitest/no-disabled-tests": "error"
  },
  overrides: [
    {
      files: ["packages/*/src/**"],
      rules: {
        "import/no-cycle": ["error", { ignoreTypes: true }],
        "import/no-default-export": "error",
        // Not in tests: it is wrong where the assertion decides what a generic function infers.
        "typescript/no-unnecessary-type-assertion": "error",
        "typescript/consistent-type-imports": ["error", { disallowTypeAnnotations: true }],
        "oxc/no-async-await": "error",
        "no-restricted-globals": ["error", { name: "Promise", message: "No Promises in library code." }],
        "typescript/no-restricted-types": ["error", {
          types: {
            Promise: { message: "No Promises in library code." },
            PromiseLike: { message: "No Promises in library code." }
          }
        }],
        "no-restricted-properties": properties(),
        "max-lines": ["warn", { max: 400 }]
      }
    },
    ...packages.flatMap((name) => [
      { files: [`packages/${name}/**`], rules: { "no-restricted-imports": imports(name) } },
      { files: [`packages/${name}/src/**`], rules: { "no-restricted-imports": sourceImports(name, effectHttp, ffi) } }
    ]),
    {
      files: ["packages/core/src/native/**"],
      rules: {
        "no-restricted-imports": sourceImports("core", effectHttp),
        // `typeof import("node:ffi")`: the module itself may be missing.
        "typescript/consistent-type-imports": ["error", { disallowTypeAnnotations: false }]
      }
    },
    {
      // Re-exports of `Response` carry the names and the docstrings of Effect's own module.
      files: ["packages/http/src/internal/effectHttp.ts", "packages/http/src/Response.ts"],
      rules: { "no-restricted-imports": sourceImports("http", ffi) }
    },
    {
      // `Kore.test` provides Effect's `HttpClient`, and the Promise adapter makes responses.
      files: [
        "packages/kore-fx/src/Kore.ts",
        "packages/kore-fx/src/Test.ts",
        "packages/kore-fx/src/legacy/internal/effectHttp.ts"
      ],
      rules: { "no-restricted-imports": sourceImports("kore-fx", ffi) }
    },
    { files: runEdges, rules: { "no-restricted-properties": properties({ runs: true }) } },
    { files: lazyImports, rules: { "no-restricted-properties": properties({ promises: true }) } },
    {
      files: promiseEdges,
      rules: {
        "no-restricted-properties": properties({ runs: true, promises: true }),
        "no-restricted-globals": "off",
        "typescript/no-restricted-types": "off",
        "oxc/no-async-await": "off",
        "unicorn/no-thenable": "off",
        "typescript/consistent-type-imports": ["error", { disallowTypeAnnotations: false }]
      }
    }
  ]
})

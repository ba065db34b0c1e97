/**
 * Compiles the examples that people copy: the ```ts blocks after `@example` in docstrings, and those of README files and
 * of docs/. `pnpm docs:check` runs it.
 *
 * Each block becomes a file in `.examples/` in which every line has the number that it has in its source, so that the
 * compiler's positions need no translation. A block may use the namespaces of its package without importing them. A block
 * of Markdown that is only a part of a program is marked ```ts partial, and not compiled.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type File, filesOf } from "./house-rules.ts"
import { compile, root } from "./tsgo.ts"

/** One block of code. */
export interface Example {
  readonly path: string
  /** The line of its first line of code, from 1. */
  readonly line: number
  readonly code: ReadonlyArray<string>
}

/** The examples of a source file or of a page. */
export const extract = ({ path, text }: File): ReadonlyArray<Example> => {
  const isPage = path.endsWith(".md")
  const examples: Array<Example> = []
  let isExample = isPage
  let open: { line: number; code: Array<string> } | undefined
  for (const [index, raw] of text.split("\n").entries()) {
    const line = isPage ? raw : /^\s*\*(?!\/) ?(.*)$/.exec(raw)?.[1]
    if (line === undefined) {
      // Outside of a docstring, or its first or last line.
      isExample = false
      open = undefined
    } else if (open !== undefined) {
      if (line.trim() === "```") {
        examples.push({ path, ...open })
        open = undefined
      } else open.code.push(line)
    } else if (!isPage && line.startsWith("@")) isExample = line.startsWith("@example")
    else if (isExample && line.trim() === "```ts") open = { line: index + 2, code: [] }
  }
  return examples
}

/** The names that an index exports as namespaces. */
export const namespaces = (index: string): ReadonlyArray<string> => [
  ...Array.from(index.matchAll(/^export \* as (\w+) from/gm), ([, name]) => name!),
  ...Array.from(index.matchAll(/^export \{([^}]*)\} from/gm), ([, names]) => names!.split(",")).flat()
    .map((name) => name.trim()).filter((name) => /^\w+$/.test(name))
]

/**
 * The file that is compiled for an example. Namespaces that it uses and does not import are imported on its first line:
 * those of its package's index, then Effect's modules.
 */
export const program = (
  { code: lines, line }: Example,
  packageName: string,
  ownNames: ReadonlyArray<string>,
  effectNames: ReadonlyArray<string>
): string => {
  const code = lines.join("\n")
  const missing = new Set(
    Array.from(code.matchAll(/(?<![.\w"'`/])([A-Z]\w*)\./g), ([, name]) => name!).filter((name) =>
      !new RegExp(`^ *(import|export) [^;]*?\\b${name}\\b[^;]*? from |\\b(const|class|namespace) ${name}\\b`, "m").test(
        code
      )
    )
  )
  const imports = Array.from(missing, (name) =>
    ownNames.includes(name) ? `import { ${name} } from "${packageName}";`
      : effectNames.includes(name) ? `import * as ${name} from "effect/${name}";`
      : "")
  return `${imports.join("")}${"\n".repeat(line - 1)}${code}\nexport {}\n`
}

const folders: Readonly<Record<string, string>> = {
  "@kore-fx/core": "core",
  "@kore-fx/http": "http",
  "@kore-fx/proc": "proc",
  "kore-fx": "kore-fx",
  "@kore-fx/cli": "cli"
}

const tsconfig = {
  extends: "../tsconfig.base.json",
  include: ["*.ts"],
  compilerOptions: {
    noEmit: true,
    composite: false,
    incremental: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    rewriteRelativeImportExtensions: false,
    allowImportingTsExtensions: true,
    // Examples see every package, wherever they stand.
    paths: Object.fromEntries(Object.entries(folders).flatMap(([name, folder]) => [
      [name, [`../packages/${folder}/src/index.ts`]],
      [`${name}/*`, [`../packages/${folder}/src/*.ts`]]
    ]))
  }
}

const main = (): void => {
  const folder = join(root, ".examples")
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig, null, 2))
  const files = filesOf(root)
  const examples = files
    .filter(({ path }) => /^packages\/[^/]+\/src\/.*\.ts$|^docs\/.*\.md$|(^|\/)README\.md$/.test(path))
    .flatMap(extract)
  const effectNames = readdirSync(join(root, "node_modules/effect/src")).map((name) => name.replace(/\.ts$/, ""))
  const sources = new Map<string, Example>()
  for (const example of examples) {
    const [packageName, packageFolder] = Object.entries(folders).find(([, name]) =>
      example.path.startsWith(`packages/${name}/`)
    ) ?? ["kore-fx", "kore-fx"]
    const index = files.find(({ path }) => path === `packages/${packageFolder}/src/index.ts`)
    const file = join(folder, `${example.path.replaceAll("/", "__")}.${example.line}.ts`)
    writeFileSync(file, program(example, packageName, namespaces(index?.text ?? ""), effectNames))
    sources.set(file, example)
  }
  const broken = new Set<Example>()
  for (const { file, line, message } of compile(join(folder, "tsconfig.json"))) {
    const example = sources.get(file)
    // Errors of the sources themselves are for `pnpm types`.
    if (example === undefined) continue
    broken.add(example)
    console.error(`${example.path}:${line}: ${message}`)
  }
  console.log(`${examples.length} examples, ${broken.size} do not compile`)
  process.exitCode = broken.size === 0 ? 0 : 1
}

if (import.meta.main) main()

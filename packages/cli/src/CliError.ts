/**
 * The errors of the command line: one table of what went wrong, what was expected and what to do, and one class for
 * each row.
 *
 * When to reach for it: to fail in a command.
 * What it is not: the errors of a server that runs, which `Kore.main` writes to the log itself (`KoreError`).
 *
 * `docs/errors.md` is generated from the table. Codes and exit statuses are stable and never used twice. The exit
 * status is 2 when nothing was started because of what was asked, the same next time, and 1 when the app's own program
 * ran and failed.
 */
import type * as Cause from "effect/Cause"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type { KoreError } from "kore-fx"
import { fill } from "./internal/text.ts"

/** The errors of the command line by the tag of their class. */
export const table = {
  NodeTooOld: {
    code: "KORE_CLI_NODE",
    exitStatus: 2,
    sentence: "kore-fx cannot run on Node.js {version}.",
    expected: "Node.js 26.10 or newer.",
    hint: "Install it from https://nodejs.org, or for this project alone: npm install --save-dev node@26"
  },
  UsageError: {
    code: "KORE_CLI_USAGE",
    exitStatus: 2,
    sentence: "{problems}",
    expected: "{usage}",
    hint: "{hint}"
  },
  FileNotFound: {
    code: "KORE_CLI_FILE_NOT_FOUND",
    exitStatus: 2,
    sentence: "{missing} does not exist.",
    expected: "The path of an app file, from the directory {cwd}.",
    hint: "{hint}"
  },
  FileUnusable: {
    code: "KORE_CLI_FILE",
    exitStatus: 2,
    sentence: "{file} {reason}.",
    expected: "A file that this user may read and that ends in .ts, .mts, .cts, .js, .mjs or .cjs.",
    hint: "{hint}"
  },
  SyntaxProblem: {
    code: "KORE_CLI_SYNTAX",
    exitStatus: 2,
    sentence: "{place}: {reason}{excerpt}",
    expected: "TypeScript or JavaScript without syntax errors.",
    hint: "{hint}"
  },
  UnsupportedSyntax: {
    code: "KORE_CLI_UNSUPPORTED_SYNTAX",
    exitStatus: 2,
    sentence: "{place}: {reason}{excerpt}",
    expected: "TypeScript whose types can be erased: Node.js runs it as it is, without compiling it.",
    hint: "{hint}"
  },
  ImportProblem: {
    code: "KORE_CLI_IMPORT",
    exitStatus: 2,
    sentence: "{place}: {reason}{excerpt}",
    expected: "Imports of packages that are installed, and of files with their extension.",
    hint: "{hint}"
  },
  AppThrew: {
    code: "KORE_CLI_APP_THREW",
    exitStatus: 1,
    sentence: "{place}: {reason}{excerpt}",
    expected: "A file that can be loaded without an exception.",
    hint: "{hint}"
  },
  NoApp: {
    code: "KORE_CLI_NO_APP",
    exitStatus: 2,
    sentence: "{file} has no app: it exports {exports}, and does not call Kore.main.",
    expected: "One of\n  export const app = Kore.app({ … })\n" +
      "  export const koreapp = …   (the old API, kore-fx/legacy)\n  Effect.runFork(Kore.main(app))",
    hint: "{hint}"
  },
  SeveralApps: {
    code: "KORE_CLI_SEVERAL_APPS",
    exitStatus: 2,
    sentence: "{file} has more than one app: {names}.",
    expected: "One app in a file.",
    hint: "Export only the one to run, or let the file start it: Effect.runFork(Kore.main(app))"
  },
  LayerFailed: {
    code: "KORE_CLI_LAYER",
    exitStatus: 1,
    sentence: "The worker's Layer of {file} could not be built: {reason}",
    expected: "A Layer that builds here: the routes are known only afterwards.",
    hint: "Provide what it opens (a database, a file), as a worker would need it; it is closed again at once."
  },
  CheckFailed: {
    code: "KORE_CLI_CHECK",
    exitStatus: 2,
    sentence: "{file} would not start:\n{problems}",
    expected: "Nothing above: valid options, servers that can be bound, routes that do not contradict each other.",
    hint: "Correct what is listed, then check again; nothing was started."
  },
  NoServer: {
    code: "KORE_CLI_NO_SERVER",
    exitStatus: 1,
    sentence: "{wanted}.",
    expected: "A server of this user that runs, and whose option controlSocket is not \"off\".",
    hint: "{hint}"
  },
  SeveralServers: {
    code: "KORE_CLI_SEVERAL_SERVERS",
    exitStatus: 1,
    sentence: "{count} servers run {file}:\n{servers}",
    expected: "One server.",
    hint: "Name it by its process id: kore-fx ps {pid}"
  },
  ServerForbidden: {
    code: "KORE_CLI_SERVER_FORBIDDEN",
    exitStatus: 1,
    sentence: "{path} cannot be used: {reason}.",
    expected: "Control sockets that belong to this user, in a directory that nobody else gets into.",
    hint: "Ask as the user who runs the server, or correct the owner and the mode."
  },
  ServerSilent: {
    code: "KORE_CLI_SERVER_SILENT",
    exitStatus: 1,
    sentence: "The server at {path} does not answer.",
    expected: "An answer of its parent process within 5 seconds.",
    hint: "It is stopped (kill -CONT lets it go on), or the machine is busy: try again."
  },
  ServerOtherVersion: {
    code: "KORE_CLI_SERVER_VERSION",
    exitStatus: 1,
    sentence: "The server at {path} is {found}, and this is the command of kore-fx {version}.",
    expected: "A server of a version whose answers this command understands.",
    hint: "Use the command that is installed with the app: npx kore-fx ps, in its directory."
  }
} as const satisfies Record<string, KoreError.Entry>

// "What happened. What was expected. What to do. [CODE]", each on its own line.
const explain = (error: { readonly _tag: keyof typeof table }): string => {
  const { code, expected, hint, sentence } = table[error._tag]
  return fill(`${sentence}\nExpected: ${expected}\nWhat to do: ${hint} [${code}]`, error)
}

// A class like `Schema.TaggedError`, whose message and exit status are those of its row.
const Row = <Self>() =>
<Tag extends keyof typeof table, const Fields extends Schema.Struct.Fields>(
  tag: Tag,
  fields: Fields
): Schema.Class<Self, Schema.TaggedStruct<Tag, Fields>, Cause.YieldableError & WithExitStatus> => {
  const base = Schema.TaggedError<Self, WithExitStatus>()(tag, fields) as any
  Object.defineProperties(base.prototype, {
    message: {
      get(this: { readonly _tag: Tag }) {
        return explain(this)
      }
    },
    [Runtime.errorExitCode]: { value: table[tag].exitStatus }
  })
  return base
}

interface WithExitStatus {
  readonly [Runtime.errorExitCode]: number
}

/** Words of the command line that are not understood; exit status 2. */
export class UsageError extends Row<UsageError>()("UsageError", {
  problems: Schema.String,
  usage: Schema.String,
  hint: Schema.String
}) {}

/** The app file, or one of the directories on the way to it, does not exist; exit status 2. */
export class FileNotFound extends Row<FileNotFound>()("FileNotFound", {
  missing: Schema.String,
  cwd: Schema.String,
  hint: Schema.String
}) {}

/** What is there cannot be an app file: a directory, an extension that Node does not run; exit status 2. */
export class FileUnusable extends Row<FileUnusable>()("FileUnusable", {
  file: Schema.String,
  reason: Schema.String,
  hint: Schema.String
}) {}

const Located = {
  /** `app.ts:3:12`, or less when less is known. */
  place: Schema.String,
  /** What is wrong there. */
  reason: Schema.String,
  /** The text of the line, with a caret below the column; empty when it is not known. */
  excerpt: Schema.String,
  hint: Schema.String
}

/** A file of the app, or one that it imports, is not valid; exit status 2. */
export class SyntaxProblem extends Row<SyntaxProblem>()("SyntaxProblem", Located) {}

/** TypeScript that is more than types, such as an enum; exit status 2. */
export class UnsupportedSyntax extends Row<UnsupportedSyntax>()("UnsupportedSyntax", Located) {}

/** An import finds no package, no file, or not the name in it; exit status 2. */
export class ImportProblem extends Row<ImportProblem>()("ImportProblem", Located) {}

/** The app's own program threw while it was loaded; exit status 1. */
export class AppThrew extends Row<AppThrew>()("AppThrew", Located) {}

/** The file neither exports an app nor runs one; exit status 2. */
export class NoApp extends Row<NoApp>()("NoApp", {
  file: Schema.String,
  exports: Schema.Array(Schema.String),
  hint: Schema.String
}) {}

/** The file exports or starts more than one app; exit status 2. */
export class SeveralApps extends Row<SeveralApps>()("SeveralApps", {
  file: Schema.String,
  names: Schema.Array(Schema.String)
}) {}

/** The Layer of the app's workers fails; exit status 1. */
export class LayerFailed extends Row<LayerFailed>()("LayerFailed", {
  file: Schema.String,
  reason: Schema.String
}) {}

/** What `kore-fx check` found; exit status 2. */
export class CheckFailed extends Row<CheckFailed>()("CheckFailed", {
  file: Schema.String,
  problems: Schema.String
}) {}

/** No server that was asked for runs; exit status 1. */
export class NoServer extends Row<NoServer>()("NoServer", {
  /** What there is not: a sentence without its full stop. */
  wanted: Schema.String,
  hint: Schema.String
}) {}

/** Several servers run the app file that was asked for; exit status 1. */
export class SeveralServers extends Row<SeveralServers>()("SeveralServers", {
  count: Schema.Int,
  file: Schema.String,
  /** The list of them. */
  servers: Schema.String,
  /** The process id of the first. */
  pid: Schema.Int
}) {}

/** A control socket, or their directory, is not this user's; exit status 1. */
export class ServerForbidden extends Row<ServerForbidden>()("ServerForbidden", {
  path: Schema.String,
  reason: Schema.String
}) {}

/** A server does not answer; exit status 1. */
export class ServerSilent extends Row<ServerSilent>()("ServerSilent", { path: Schema.String }) {}

/** A server has a version whose answers are not understood; exit status 1. */
export class ServerOtherVersion extends Row<ServerOtherVersion>()("ServerOtherVersion", {
  path: Schema.String,
  /** What it is. */
  found: Schema.String,
  /** The version of the command. */
  version: Schema.String
}) {}

/** Why a running server cannot be looked at. */
export type ServerProblem = NoServer | SeveralServers | ServerForbidden | ServerSilent | ServerOtherVersion

/** Why a file cannot be used, found before it is loaded. */
export type FileProblem = FileNotFound | FileUnusable

/** Why a file could not be loaded. */
export type LoadProblem = SyntaxProblem | UnsupportedSyntax | ImportProblem | AppThrew

/** Every error of the command line. */
export type CliError =
  | UsageError
  | FileProblem
  | LoadProblem
  | NoApp
  | SeveralApps
  | LayerFailed
  | CheckFailed
  | ServerProblem

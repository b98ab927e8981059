---@meta
-- The API of osb-conformance for lua-language-server: completion and checks in editors.

---@class ScenarioDeclaration
---@field title string Shown in the banner.
---@field number? integer Position among the folder's scenarios, shown in the banner.
---@field covers? string[] Ids of requirements, see requirements.toml.
---@field requires? string[] Capabilities without which the scenario is skipped.
---@field slow? boolean it takes a minute or more: run only with --slow

---Declares the scenario. The first statement of every file.
---@param declaration ScenarioDeclaration
function scenario(declaration) end

---Begins a numbered step, or one with a label of its own.
---@param text string
---@overload fun(label: string, text: string)
function step(text) end

---Prints text into the transcript, indented.
---@param text string|number|boolean
function say(text) end

---Ends the scenario as skipped.
---@param reason string
function skip(reason) end

---Runs functions side by side and answers their results in order.
---@param ... fun(): any
---@return any ...
function concurrently(...) end

---Calls `probe` until it answers something true and its expectations hold.
---@generic T
---@param probe fun(): T
---@param options? { timeout?: number, interval?: number } Seconds; 10 and 0.05.
---@return T
function eventually(probe, options) end

---@class Expectation
local Expectation = {}
---@param value any Compared by value, tables too.
function Expectation:is(value) end
---@param value any
function Expectation:is_not(value) end
function Expectation:is_nil() end
function Expectation:is_not_nil() end
---@param part string A part of a text, or an item of a list of texts.
function Expectation:contains(part) end
---@param part string
function Expectation:does_not_contain(part) end
---@param pattern string A Lua pattern.
function Expectation:matches(pattern) end
---@param bound number
function Expectation:is_at_least(bound) end
---@param bound number
function Expectation:is_at_most(bound) end
---That a sandbox has something mounted there as told. Asks the sandbox and, where there is one, the
---engine below it.
---@param mount { mountPath: string, claimName?: string, subPath?: string, hostPath?: string, readOnly?: boolean }
function Expectation:has_mount(mount) end

---@class ApiError
---@field status integer HTTP status.
---@field code string Such as `VOLUME::INVALID_SUB_PATH`.
---@field message string

---@class expect
---@overload fun(value: any, label?: string): Expectation
expect = {}
---Calls `call` and demands that the API refuses.
---@param call function
---@param ... any Its arguments.
---@return ApiError
function expect.rejected(call, ...) end

---@class Pvc
---@field claimName string
---@field createIfNotExists? boolean Default true.
---@field deleteOnSandboxTermination? boolean Default false.
---@field storageClass? string
---@field storage? string
---@field accessModes? string[]

---@class VolumeEntry
---@field name string
---@field mountPath string
---@field pvc? Pvc
---@field host? { path: string }
---@field ossfs? { bucket: string, endpoint: string, version?: string, options?: string[], accessKeyId: string, accessKeySecret: string }
---@field readOnly? boolean
---@field subPath? string

---@class CreateSandboxRequest
---@field image? { uri: string } Default: the image of the run.
---@field entrypoint? string[] Default: tail -f /dev/null.
---@field env? table<string, string>
---@field metadata? table<string, string>
---@field resourceLimits? table<string, string> Default: cpu 500m, memory 512Mi.
---@field timeout? integer Seconds, at least 60. Default 600.
---@field volumes? VolumeEntry[]

---@class SandboxInfo
---@field id string
---@field status { state: string, reason?: string, message?: string }
---@field metadata? table<string, string>
---@field entrypoint string[]
---@field createdAt string
---@field expiresAt? string

---@class CommandResult
---@field stdout string
---@field stderr string
---@field exit_code integer
---@field timed_out boolean
---@field truncated boolean Whether output was cut at 1 MiB a stream.

---@class Commands
local Commands = {}
---@param command string Run by the sandbox's `sh -c`.
---@param options? { cwd?: string, envs?: table<string, string>, timeout?: number, uid?: integer, gid?: integer }
---@return CommandResult
function Commands:run(command, options) end

---@class FileInfo
---@field path string
---@field size integer
---@field modified_at string
---@field owner string
---@field group string
---@field mode integer Octal digits: 644.
---@field type "file"|"directory"|"symlink"|"other"

---@class SandboxFiles
local SandboxFiles = {}
---@param path string
---@return string
function SandboxFiles:read(path) end
---@param path string
---@param data string
---@param mode? integer Octal digits; default 644.
function SandboxFiles:write(path, data, mode) end
---@param path string
---@return FileInfo[]
function SandboxFiles:list(path) end
---@param path string
---@return FileInfo
function SandboxFiles:info(path) end
---@param path string
function SandboxFiles:delete(path) end

---@class Sandbox
---@field id string
---@field commands Commands
---@field files SandboxFiles
Sandbox = {}
---@param request CreateSandboxRequest
---@return Sandbox
function Sandbox.create(request) end
---@param query? { state?: string[], metadata?: table<string, string>, page?: integer, pageSize?: integer }
---@return { items: SandboxInfo[], pagination: table }
function Sandbox.list(query) end
---@return SandboxInfo
function Sandbox:info() end
function Sandbox:pause() end
function Sandbox:resume() end
---@param seconds number From now.
---@return { expiresAt: string }
function Sandbox:renew(seconds) end
---@param port integer
---@return { endpoint: string, headers?: table<string, string> }
function Sandbox:endpoint(port) end
---@param patch table<string, string|false> `false` deletes a key.
---@return SandboxInfo
function Sandbox:patch_metadata(patch) end
function Sandbox:kill() end

---@class volumes
volumes = {}
---Makes a uniquely named volume; transcripts show the alias.
---@param alias string
---@param options? { files?: table<string, string> }
---@return { name: string, alias: string }
function volumes.create(alias, options) end
---Reserves a unique name without making the volume.
---@param alias string
---@return string
function volumes.name(alias) end
---@param name string
---@return boolean
function volumes.exists(name) end

---The labels of a volume, seen from outside; nil where there is no such volume. Skips the scenario
---where the target cannot tell.
---@param name string
---@return table<string, string>?
function volumes.labels(name) end
---Reads a file of a volume from outside of any sandbox; nil where there is none.
---@param name string
---@param path string
---@return string?
function volumes.read(name, path) end

---@class host_dirs
host_dirs = {}
---Makes a directory on the sandboxes' host, below an allowed one.
---@param alias string
---@param options? { files?: table<string, string> }
---@return { path: string, alias: string }
function host_dirs.create(alias, options) end
---Paths of every file and directory in such a directory, sorted, seen from the host.
---@param path string The directory's path, as `host_dirs.create` answered it.
---@return string[]
function host_dirs.list(path) end
---What is in a file of such a directory, seen from the host; nil where there is no such file.
---@param path string The directory's path, as `host_dirs.create` answered it.
---@param file string Below it: `data/marker.txt`.
---@return string?
function host_dirs.read(path, file) end

---@class ApiRequest
---@field method string Such as `GET`.
---@field path string Below the API's base: `/sandboxes`, not `/v1/sandboxes`.
---@field headers? table<string, string>
---@field body? string|table Text is sent as it is, a table as JSON. The content type is
---`application/json` unless the headers have one.

---@class ApiAnswer
---@field status integer HTTP status.
---@field headers table<string, string> Names in lower case.
---@field body any The body as decoded JSON, its nulls as nil; nil where it is no JSON.
---@field text string The body as it came.

---@class api
---@field image string The image of sandboxes that name none.
---@field lenient boolean Whether the run is content with any 4xx where a refusal is due.
---@field null any JSON's null, in the body of a request.
api = {}
---Sends a request to the lifecycle API as it is. A sandbox that it makes is removed at the end.
---@param request ApiRequest
---@return ApiAnswer
function api.request(request) end
---A JSON list that may be empty, in the body of a request.
---@generic T
---@param items? T[]
---@return T[]
function api.list(items) end
---A name that begins with `alias` and that nobody else has.
---@param alias string
---@return string
function api.unique(alias) end

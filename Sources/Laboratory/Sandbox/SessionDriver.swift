/// The Python program that runs a session's blocks inside the sandbox.
///
/// A request is a line `number length` and that many bytes of code; the reply is a line of JSON with `block`, `value` and `exception`.
/// What blocks print goes to the interpreter's own standard output and error.
enum SessionDriver {
    /// How many blocks' worth of processor time a session may use in all.
    static let blocksOfProcessorTime = 1000

    /// The longest value or exception that a reply tells, in characters.
    static let valueLimit = 50_000

    static func program(processorSeconds: Int) -> String {
        """
        import ast, json, linecache, os, resource, sys, traceback

        requests = os.fdopen(\(SandboxProcess.requests), "rb")
        variables = {"__name__": "__main__", "__builtins__": __builtins__}
        process = os.getpid()

        def limit_processor_time():
            used = resource.getrusage(resource.RUSAGE_SELF)
            soft = int(used.ru_utime + used.ru_stime) + 1 + \(processorSeconds)
            hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
            resource.setrlimit(resource.RLIMIT_CPU, (min(soft, hard), hard))

        def short(text):
            # Half of a surrogate pair has no place in JSON.
            return text[:\(valueLimit)].encode("utf-8", "replace").decode()

        def run(code, name):
            # The lines of the block, for traces.
            linecache.cache[name] = (len(code), None, code.splitlines(True), name)
            tree = ast.parse(code, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), variables)
            if last is None:
                return None
            value = eval(compile(ast.Expression(last.value), name, "eval"), variables)
            return None if value is None else short(repr(value))

        def reply(content):
            line = (json.dumps(content) + "\\n").encode()
            while line:
                line = line[os.write(\(SandboxProcess.replies), line):]

        while True:
            header = requests.readline().split()
            if not header:
                break
            number, length = int(header[0]), int(header[1])
            code = requests.read(length).decode("utf-8", "replace")
            limit_processor_time()
            value = exception = None
            try:
                value = run(code, "<block %d>" % number)
            except BaseException as error:
                # The first frames are this driver's.
                trace = error.__traceback__
                while trace is not None and not trace.tb_frame.f_code.co_filename.startswith("<block"):
                    trace = trace.tb_next
                lines = traceback.format_exception(type(error), error, trace)
                exception = short(traceback.format_exception_only(type(error), error)[-1].strip())
                try:
                    sys.stderr.write("".join(lines))
                except BaseException:
                    pass
            # A process that the block forked has no business here.
            if os.getpid() != process:
                os._exit(0)
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except BaseException:
                    pass
            reply({"block": number, "value": value, "exception": exception})
        """
    }
}

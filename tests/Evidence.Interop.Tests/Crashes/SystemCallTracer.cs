using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>What is done to a system call instead of doing it.</summary>
internal enum Fault
{
    None,

    /// <summary>The call fails with <c>EIO</c>.</summary>
    InputOutput,

    /// <summary>The call fails with <c>ENOSPC</c>.</summary>
    NoSpace,

    /// <summary>The process is killed, and the call is not made.</summary>
    Kill,
}

/// <summary>
/// Runs a command, sees each of its system calls on files below a folder, and lets chosen ones fail. strace does the same, but it counts calls for each
/// thread and chooses files by their whole paths: names of temporary files are random, and threads take turns, so with it neither "the third flush of a pack"
/// nor "all of them, each once" could be said.
/// </summary>
internal sealed unsafe class SystemCallTracer
{
    private const int EIO = 5;
    private const int ENOSPC = 28;

    private readonly string folder;
    private readonly Func<SystemCall, Fault> entering;
    private readonly Action<SystemCall> left;
    private readonly Dictionary<int, Pending> pending = [];

    private SystemCallTracer(string folder, Func<SystemCall, Fault> entering, Action<SystemCall> left)
    {
        this.folder = Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar;
        this.entering = entering;
        this.left = left;
    }

    /// <summary>Runs a command to its end.</summary>
    /// <param name="command">The command.</param>
    /// <param name="folder">The folder below which calls are seen.</param>
    /// <param name="entering">Asked before each call; always by one thread.</param>
    /// <param name="left">Told of each call that was made, and what it returned.</param>
    /// <param name="started">Told of the process, once it is traced.</param>
    internal static CommandResult Run(
        ProcessStartInfo command, string folder, Func<SystemCall, Fault> entering, Action<SystemCall>? left = null, Action<int>? started = null)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            Peer.Lacking("The tracer of system calls knows only x86-64.");
        Peer.Require("sh");
        string number = Path.GetTempFileName();
        try
        {
            // The traced process is a grandchild: the framework would miss a child of its own whose end the tracer hears of first.
            // It waits for a line before it becomes the command, so that nothing of that is missed.
            string[] words =
            [
                "-c", "\"$@\"; exit $?", "sh",
                "sh", "-c", "echo $$ > \"$0\"; read -r line; exec \"$@\"", number,
                command.FileName, .. command.ArgumentList,
            ];
            command.FileName = "sh";
            command.ArgumentList.Clear();
            foreach (string word in words)
                command.ArgumentList.Add(word);
            using var running = new RunningProcess(command);
            string line = "";
            running.WaitUntil(() => (line = File.ReadAllText(number)).EndsWith('\n'));
            int process = int.Parse(line, CultureInfo.InvariantCulture);
            var tracer = new SystemCallTracer(folder, entering, left ?? (_ => { }));
            Exception? failure = null;
            using var attached = new ManualResetEventSlim();
            // All of ptrace belongs to the one thread that attached.
            var thread = new Thread(() =>
            {
                try
                {
                    Attach(process);
                    attached.Set();
                    tracer.Follow(process);
                }
                catch (Exception e)
                {
                    failure = e;
                    _ = Tracing.Kill(process, Tracing.SIGKILL);
                }
                finally
                {
                    attached.Set();
                }
            });
            thread.Start();
            attached.Wait();
            running.Input.WriteByte((byte)'\n');
            running.Input.Flush();
            started?.Invoke(process);
            CommandResult result = running.Wait();
            thread.Join();
            return failure is null ? result : throw new InvalidOperationException("The tracer failed.", failure);
        }
        finally
        {
            File.Delete(number);
        }
    }

    private static void Attach(int process)
    {
        Demand(Tracing.Ptrace(Tracing.PTRACE_SEIZE, process, 0, Tracing.Options), "attach");
        Demand(Tracing.Ptrace(Tracing.PTRACE_INTERRUPT, process, 0, (nint)0), "stop");
    }

    private static void Demand(nint result, string what)
    {
        if (result < 0)
            Assert.Fail($"Cannot {what} the traced process: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private void Follow(int process)
    {
        while (true)
        {
            int status;
            int thread = Tracing.WaitPid(-1, &status, Tracing.WaitOptions);
            if (thread < 0)
            {
                if (Marshal.GetLastPInvokeError() == Platform.Posix.EINTR)
                    continue;
                return;
            }

            if ((status & 0xFF) != 0x7F)
            {
                pending.Remove(thread);
                if (thread == process)
                    return;
                continue;
            }

            int signal = (status >> 8) & 0xFF;
            int happened = status >> 16;
            nint request = Tracing.PTRACE_SYSCALL;
            if (signal == (Tracing.SIGTRAP | 0x80))
                Step(process, thread);
            else if (happened == Tracing.PTRACE_EVENT_STOP && signal != Tracing.SIGTRAP)
                request = Tracing.PTRACE_LISTEN;
            // Whatever the tracer itself caused is no signal to the process. A thread that was killed meanwhile cannot go on; its end comes next.
            bool own = happened != 0 || signal == (Tracing.SIGTRAP | 0x80);
            _ = Tracing.Ptrace(request, thread, 0, (nint)(own ? 0 : signal));
        }
    }

    private void Step(int process, int thread)
    {
        Tracing.CallInfo info;
        if (Tracing.Ptrace(Tracing.PTRACE_GET_SYSCALL_INFO, thread, sizeof(Tracing.CallInfo), &info) < 0)
            return;
        if (info.Operation == Tracing.CallInfo.Entering)
        {
            if (Decode(thread, info.NumberOrResult, info.Arguments) is not { } call)
                return;
            Fault fault = entering(call);
            if (fault == Fault.Kill)
                _ = Tracing.Kill(process, Tracing.SIGKILL);
            if (fault != Fault.None)
                _ = Tracing.Ptrace(Tracing.PTRACE_POKEUSER, thread, Tracing.OffsetOfNumber, (nint)(-1));
            pending[thread] = new Pending(call, fault);
        }
        else if (info.Operation == Tracing.CallInfo.Leaving && pending.Remove(thread, out Pending? ended))
        {
            if (ended.Fault is Fault.InputOutput or Fault.NoSpace)
            {
                _ = Tracing.Ptrace(Tracing.PTRACE_POKEUSER, thread, Tracing.OffsetOfResult, (nint)(ended.Fault == Fault.NoSpace ? -ENOSPC : -EIO));
                return;
            }

            left(ended.Call with
            {
                Result = info.NumberOrResult,
                Descriptor = ended.Call.Name == "open" ? (int)info.NumberOrResult : ended.Call.Descriptor,
            });
        }
    }

    /// <summary>What a call is about; null where it is none that changes files, or is about none below the folder.</summary>
    private SystemCall? Decode(int thread, long number, long* a) => number switch
    {
        1 => OnDescriptor(thread, "write", a[0], a[1], a[2]),
        2 => OnPath(thread, "open", a[0], a[1], (int)a[2]),
        3 => OnDescriptor(thread, "close", a[0]),
        18 => OnDescriptor(thread, "pwrite64", a[0], a[1], a[2], a[3]),
        20 or 40 or 296 or 326 or 328 => OnDescriptor(thread, Unknown(number), number == 326 ? a[2] : a[0]),
        73 => OnDescriptor(thread, "flock", a[0], flags: a[1]),
        74 => OnDescriptor(thread, "fsync", a[0]),
        75 => OnDescriptor(thread, "fdatasync", a[0]),
        76 => OnPath(thread, "truncate", a[0], a[1]),
        77 => OnDescriptor(thread, "ftruncate", a[0], flags: a[1]),
        82 => OnPath(thread, "rename", a[0], 0, target: a[1]),
        83 => OnPath(thread, "mkdir", a[0], a[1]),
        84 => OnPath(thread, "rmdir", a[0], 0),
        86 => OnPath(thread, "link", a[0], 0, target: a[1]),
        87 => OnPath(thread, "unlink", a[0], 0),
        90 => OnPath(thread, "chmod", a[0], a[1]),
        91 => OnDescriptor(thread, "fchmod", a[0], flags: a[1]),
        257 => OnPath(thread, "open", a[1], a[2], (int)a[3]),
        258 => OnPath(thread, "mkdir", a[1], a[2]),
        263 => OnPath(thread, (a[2] & 0x200) != 0 ? "rmdir" : "unlink", a[1], 0),
        264 => OnPath(thread, "rename", a[1], 0, target: a[3]),
        265 => OnPath(thread, "link", a[1], 0, target: a[3]),
        268 => OnPath(thread, "chmod", a[1], a[2]),
        285 => OnDescriptor(thread, "fallocate", a[0], flags: a[1]),
        316 => OnPath(thread, "rename", a[1], a[4], target: a[3]),
        _ => null,
    };

    private static string Unknown(long number) => string.Create(CultureInfo.InvariantCulture, $"call-{number}");

    private SystemCall? OnPath(int thread, string name, long path, long number, int mode = 0, long target = 0)
    {
        string? first = Below(Text(thread, path));
        string? second = target == 0 ? null : Below(Text(thread, target));
        return first is null ? null : new SystemCall(name, first) { Number = number, Mode = mode, Target = second };
    }

    private SystemCall? OnDescriptor(int thread, string name, long descriptor, long data = 0, long length = 0, long? offset = null, long flags = 0)
    {
        string? file = LinkOf(thread, descriptor);
        if (name == "write" && file?.StartsWith("pipe:", StringComparison.Ordinal) == true && Bytes(thread, data, 1) is [(byte)'{'])
            return new SystemCall(SystemCall.Answer, "");
        if (Below(file) is not { } path)
            return null;
        return new SystemCall(name, path)
        {
            Descriptor = (int)descriptor,
            Number = flags,
            Offset = offset,
            Data = length == 0 ? [] : Bytes(thread, data, (int)length),
        };
    }

    private string? Below(string? path) => path?.StartsWith(folder, StringComparison.Ordinal) == true ? path[folder.Length..]
        : path is not null && path.Length == folder.Length - 1 && folder.StartsWith(path, StringComparison.Ordinal) ? ""
        : null;

    private static string? LinkOf(int thread, long descriptor)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{thread}/fd/{descriptor}")).LinkTarget;
        }
        catch (IOException)
        {
            // It was closed, or the process was killed meanwhile.
            return null;
        }
    }

    private static string? Text(int thread, long address)
    {
        byte[] bytes = Bytes(thread, address, 4096);
        int end = Array.IndexOf(bytes, (byte)0);
        return end < 0 ? null : Encoding.UTF8.GetString(bytes, 0, end);
    }

    /// <summary>Reads the process's memory, as far as it is there.</summary>
    private static byte[] Bytes(int thread, long address, int length)
    {
        var bytes = new byte[length];
        int done = 0;
        try
        {
            using var memory = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/proc/{thread}/mem"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            while (done < length && RandomAccess.Read(memory, bytes.AsSpan(done), address + done) is > 0 and var read)
                done += read;
        }
        catch (IOException)
        {
            // The end of what is mapped: a path can lie just before it.
        }

        return bytes[..done];
    }

    private sealed record Pending(SystemCall Call, Fault Fault);
}

using System.Runtime.InteropServices;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>The system calls that trace a process: ptrace(2) and waitpid(2), by their own names and numbers (x86-64).</summary>
internal static unsafe partial class Tracing
{
    internal const int PTRACE_POKEUSER = 6;
    internal const int PTRACE_SYSCALL = 24;
    internal const int PTRACE_SEIZE = 0x4206;
    internal const int PTRACE_INTERRUPT = 0x4207;
    internal const int PTRACE_LISTEN = 0x4208;
    internal const int PTRACE_GET_SYSCALL_INFO = 0x420e;

    /// <summary>TRACESYSGOOD, TRACEFORK, TRACEVFORK, TRACECLONE, TRACEEXEC and EXITKILL.</summary>
    internal const int Options = 1 | 2 | 4 | 8 | 16 | 0x100000;

    internal const int PTRACE_EVENT_STOP = 128;
    internal const int SIGKILL = 9;
    internal const int SIGTRAP = 5;

    /// <summary>__WALL and __WNOTHREAD: threads of a traced process too, but of those only the ones that this thread traces.</summary>
    internal const int WaitOptions = 0x40000000 | 0x20000000;

    // Where struct user keeps rax, and the number of the call under way.
    internal const int OffsetOfResult = 10 * 8;
    internal const int OffsetOfNumber = 15 * 8;

    [LibraryImport("libc", EntryPoint = "ptrace", SetLastError = true)]
    internal static partial nint Ptrace(nint request, int thread, nint address, nint data);

    [LibraryImport("libc", EntryPoint = "ptrace", SetLastError = true)]
    internal static partial nint Ptrace(nint request, int thread, nint size, CallInfo* info);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    internal static partial int WaitPid(int process, int* status, int options);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);

    /// <summary>struct ptrace_syscall_info, as far as it is used.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 96)]
    internal struct CallInfo
    {
        internal const byte Entering = 1;
        internal const byte Leaving = 2;

        [FieldOffset(0)]
        internal byte Operation;

        [FieldOffset(24)]
        internal long NumberOrResult;

        [FieldOffset(32)]
        internal fixed long Arguments[6];
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Evidence.Platform;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Formats.Fuse;

/// <summary>The connection to the kernel that a FUSE mount is: made by root with mount(2), by others through the setuid helper <c>fusermount3</c>.</summary>
internal sealed unsafe class FuseChannel : IDisposable
{
    private const string Device = "/dev/fuse";
    private const string Helper = "fusermount3";

    private readonly string folder;
    private readonly SafeFileHandle device;
    private readonly SafeFileHandle woken;
    private readonly SafeFileHandle waker;

    private FuseChannel(string folder, SafeFileHandle device)
    {
        this.folder = folder;
        this.device = device;
        int* ends = stackalloc int[2];
        if (Posix.Pipe(ends, Posix.O_CLOEXEC) < 0)
            throw Failed(folder, "make a pipe");
        woken = new SafeFileHandle(ends[0], ownsHandle: true);
        waker = new SafeFileHandle(ends[1], ownsHandle: true);
    }

    private static bool IsRoot => Posix.GetEffectiveUserId() == 0;

    /// <summary>Mounts at a folder. Nobody can read there before requests are answered.</summary>
    /// <exception cref="EvidenceException">It cannot be mounted there, or not by this user, or there is no FUSE here.</exception>
    internal static FuseChannel Mount(string folder, bool forOthers)
    {
        if (FileStatus.TryGet(folder) is not { } status)
        {
            throw Marshal.GetLastPInvokeError() == Posix.ENOTCONN
                ? new EvidenceException(ErrorCode.DestinationInvalid, $"At {folder} there is still the mount of a process that has ended. Take it away with 'umount {folder}' or 'fusermount3 -u {folder}'.")
                : Failed(folder, "use it as a mount point");
        }

        if (status.Type != FileType.Directory)
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"{folder} is no folder, so nothing can be mounted there.");
        SafeFileHandle opened = IsRoot ? MountAsRoot(folder, forOthers) : MountByHelper(folder, forOthers);
        try
        {
            return new FuseChannel(folder, opened);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Whether nobody is to wait for a request any longer.</summary>
    internal bool IsWoken => waker.IsClosed;

    /// <summary>A worker's end, from which requests come.</summary>
    internal FuseReceiver OpenReceiver() => new(this, device, woken);

    /// <summary>Answers; where nobody waits for the answer any more, nobody gets it.</summary>
    /// <param name="reply">Room for a <see cref="FuseOutHeader"/>, and the content behind it.</param>
    /// <param name="unique">The request's number.</param>
    /// <param name="error">An error number; 0 for none.</param>
    internal void Reply(Span<byte> reply, ulong unique, int error)
    {
        MemoryMarshal.Write(reply, new FuseOutHeader { Length = (uint)reply.Length, Error = -error, Unique = unique });
        fixed (byte* start = reply)
            _ = Posix.Write(device, start, (nuint)reply.Length);
    }

    /// <summary>Unmounts.</summary>
    /// <param name="lazily">Also where it is in use: then it goes from its place at once, and those who use it get errors.</param>
    /// <returns>Whether it is gone from its place.</returns>
    internal bool TryUnmount(bool lazily)
    {
        if (IsRoot)
            return Posix.Unmount(folder, Posix.UMOUNT_NOFOLLOW | (lazily ? Posix.MNT_DETACH : 0)) == 0 || Marshal.GetLastPInvokeError() == Posix.EINVAL;
        using Process helper = StartHelper(lazily ? ["-u", "-z", "-q", "--", folder] : ["-u", "-q", "--", folder], null);
        helper.WaitForExit();
        return helper.ExitCode == 0;
    }

    /// <summary>Has everybody who waits for a request wait no longer.</summary>
    /// <remarks>The other end of the pipe sees that this one is closed.</remarks>
    internal void Wake() => waker.Dispose();

    /// <summary>The error that the last system call ended in.</summary>
    internal EvidenceException Failed(string what) => Failed(folder, what);

    public void Dispose()
    {
        waker.Dispose();
        woken.Dispose();
        device.Dispose();
    }

    private static SafeFileHandle MountAsRoot(string folder, bool forOthers)
    {
        int file = Posix.Open(Device, Posix.O_RDWR | Posix.O_CLOEXEC | Posix.O_NONBLOCK, 0);
        if (file < 0)
            throw NoFuse();
        var opened = new SafeFileHandle(file, ownsHandle: true);
        string options = string.Create(
            CultureInfo.InvariantCulture,
            $"fd={file},rootmode=40000,user_id=0,group_id={Posix.GetEffectiveGroupId()},default_permissions{(forOthers ? ",allow_other" : "")}");
        if (Posix.Mount("evidence", folder, "fuse.evidence", Posix.MS_RDONLY | Posix.MS_NOSUID | Posix.MS_NODEV | Posix.MS_NOEXEC, options) == 0)
            return opened;
        EvidenceException failure = Failed(folder, "mount there");
        opened.Dispose();
        throw failure;
    }

    /// <summary>The helper opens the device and mounts it, and sends it over a socket whose number it is told (<c>util/fusermount.c</c> of libfuse).</summary>
    private static SafeFileHandle MountByHelper(string folder, bool forOthers)
    {
        int* ends = stackalloc int[2];
        // The helper's end is to be inherited, so neither can be closed by the way.
        if (Posix.SocketPair(Posix.AF_UNIX, Posix.SOCK_STREAM, 0, ends) < 0)
            throw Failed(folder, "make a socket");
        using var own = new SafeFileHandle(ends[0], ownsHandle: true);
        using var others = new SafeFileHandle(ends[1], ownsHandle: true);
        string options = $"ro,nosuid,nodev,noexec,default_permissions,fsname=evidence,subtype=evidence{(forOthers ? ",allow_other" : "")}";
        using Process helper = StartHelper(["-o", options, "--", folder], ends[1]);
        others.Dispose();
        string words = helper.StandardError.ReadToEnd().Trim();
        helper.WaitForExit();
        if (helper.ExitCode != 0 || ReceiveFile(ends[0]) is not { } sent)
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"Cannot mount at {folder}: {(words.Length > 0 ? words : "fusermount3 gave no device")}. 'evidence serve' needs no mount.");
        int flags = Posix.FileControl(sent, Posix.F_GETFL, 0);
        _ = Posix.FileControl(sent, Posix.F_SETFL, flags | Posix.O_NONBLOCK);
        return sent;
    }

    private static Process StartHelper(string[] arguments, int? socket)
    {
        var start = new ProcessStartInfo(Helper, arguments) { UseShellExecute = false, RedirectStandardError = true };
        if (socket is { } number)
            start.Environment["_FUSE_COMMFD"] = number.ToString(CultureInfo.InvariantCulture);
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new EvidenceException(ErrorCode.InputOutput, $"Cannot run {Helper}, which mounts for those who are not root: {e.Message}. Install the package fuse3, or run as root; 'evidence serve' needs neither.", e);
        }
    }

    private static SafeFileHandle? ReceiveFile(int socket)
    {
        byte content;
        var vector = new Posix.Vector { Start = &content, Length = 1 };
        Posix.FileMessage control = default;
        var message = new Posix.MessageHeader { Vectors = &vector, VectorCount = 1, Control = &control, ControlLength = (nuint)sizeof(Posix.FileMessage) };
        nint received;
        do
            received = Posix.ReceiveMessage(socket, &message, Posix.MSG_CMSG_CLOEXEC);
        while (received < 0 && Marshal.GetLastPInvokeError() == Posix.EINTR);
        return received > 0 && control is { Level: Posix.SOL_SOCKET, Type: Posix.SCM_RIGHTS } && message.ControlLength > 0 ? new SafeFileHandle(control.File, ownsHandle: true) : null;
    }

    private static EvidenceException NoFuse() => new(
        ErrorCode.InputOutput,
        $"Cannot open {Device}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}. FUSE needs the kernel's module 'fuse', and in a container '--device /dev/fuse --cap-add SYS_ADMIN'. 'evidence serve' needs neither.");

    private static EvidenceException Failed(string folder, string what)
    {
        int error = Marshal.GetLastPInvokeError();
        return new EvidenceException(
            error is Posix.EPERM or Posix.EACCES ? ErrorCode.PermissionDenied : ErrorCode.DestinationInvalid, $"{folder}: cannot {what}: {Marshal.GetPInvokeErrorMessage(error)}. Name an empty folder of your own.");
    }
}

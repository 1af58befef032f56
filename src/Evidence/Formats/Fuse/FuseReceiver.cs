using System.Runtime.InteropServices;
using Evidence.Platform;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Formats.Fuse;

/// <summary>
/// One worker's end of the device from which requests come. It waits in a way of its own: of all who wait, a request wakes one (<c>EPOLLEXCLUSIVE</c>), where poll(2) wakes
/// everybody for one of them to find it.
/// </summary>
internal sealed unsafe class FuseReceiver : IDisposable
{
    /// <summary>
    /// How often a worker looks for the next request, and lets others have the core, before it sleeps: who reads one place after another asks again within some microseconds, sooner than
    /// the one who sleeps is awake.
    /// </summary>
    private const int MostLooks = 40;

    private readonly FuseChannel channel;
    private readonly SafeFileHandle device;
    private readonly SafeFileHandle waiting;

    internal FuseReceiver(FuseChannel channel, SafeFileHandle device, SafeFileHandle woken)
    {
        this.channel = channel;
        this.device = device;
        int opened = Posix.CreateEventPoll(Posix.EPOLL_CLOEXEC);
        if (opened < 0)
            throw channel.Failed("wait for requests");
        waiting = new SafeFileHandle(opened, ownsHandle: true);
        if (!TryAdd(device, Posix.EPOLLIN | Posix.EPOLLEXCLUSIVE) || !TryAdd(woken, Posix.EPOLLIN))
        {
            EvidenceException failure = channel.Failed("wait for requests");
            waiting.Dispose();
            throw failure;
        }
    }

    /// <summary>Waits for a request.</summary>
    /// <returns>Its length; 0 where there will be no more.</returns>
    internal int Receive(Span<byte> buffer)
    {
        int looks = 0;
        ulong* entry = stackalloc ulong[2];
        fixed (byte* start = buffer)
        {
            while (true)
            {
                nint length = Posix.Read(device, start, (nuint)buffer.Length);
                if (length >= 0)
                    return (int)length;
                switch (Marshal.GetLastPInvokeError())
                {
                    case Posix.EAGAIN when looks < MostLooks:
                        looks++;
                        Thread.Yield();
                        break;
                    case Posix.EAGAIN:
                        _ = Posix.WaitForEvents(waiting, entry, 1, -1);
                        if (channel.IsWoken)
                            return 0;
                        break;
                    case Posix.EINTR or Posix.ENOENT:
                        // A request that was taken back before it was read.
                        break;
                    case Posix.ENODEV:
                        return 0;
                    default:
                        throw channel.Failed("be asked by the kernel");
                }
            }
        }
    }

    public void Dispose() => waiting.Dispose();

    private bool TryAdd(SafeFileHandle file, uint events)
    {
        // struct epoll_event: the events, and behind them what nobody asks for here; 12 bytes or 16, by the processor.
        ulong* entry = stackalloc ulong[2] { events, 0 };
        return Posix.ControlEventPoll(waiting, Posix.EPOLL_CTL_ADD, file, entry) == 0;
    }
}

using System.Text;
using Evidence.Segments;
using Evidence.Sources.Nbd;
using Evidence.Vaults;

namespace Evidence.Formats.Nbd;

/// <summary>An image as an export: what it is called, and where it has nothing to be sent.</summary>
internal sealed class NbdServedImage(ImageReader reader, AbsentBytes absent, string name, string description)
{
    /// <summary>What every client is told of it; a reply's form may take one away.</summary>
    internal const NbdTransmissionFlags Flags = NbdTransmissionFlags.HasFlags | NbdTransmissionFlags.ReadOnly | NbdTransmissionFlags.MultipleConnections;

    internal ImageReader Reader => reader;

    internal byte[] Name { get; } = Encoding.UTF8.GetBytes(name);

    internal byte[] Description { get; } = Encoding.UTF8.GetBytes(description);

    /// <summary>Whether a name means this export: its own, or the empty one, which means the server's default.</summary>
    internal bool IsNamed(ReadOnlySpan<byte> other) => other.IsEmpty || other.SequenceEqual(Name);

    /// <summary>
    /// Where what begins at an offset ends, in one state, within a bound: zeros that were read are zeros, what the source said to be a hole is that too, and all else is to be read. What
    /// is absent is never said to be zero, whatever reading it gives.
    /// </summary>
    internal (long End, uint State) StateAt(long offset, long bound)
    {
        MapRun run = reader.RunAt(offset);
        uint state = StateOf(run);
        long end = run.End;
        while (end < bound && reader.RunAt(end) is var next && StateOf(next) == state)
            end = next.End;
        return (Math.Min(end, bound), state);
    }

    /// <summary>The bytes from an offset on that are nothing but zeros and need not be sent, within a bound.</summary>
    internal long ZerosAt(long offset, long bound)
    {
        long end = offset;
        while (end < bound && reader.RunAt(end) is var run && IsZero(run))
            end = run.End;
        return Math.Min(end, bound) - offset;
    }

    private static uint StateOf(MapRun run) => run.Kind switch
    {
        RunKind.Zero => NbdProtocol.StateZero,
        RunKind.Hole => NbdProtocol.StateHole | NbdProtocol.StateZero,
        _ => 0,
    };

    private bool IsZero(MapRun run) => run.Kind is RunKind.Zero or RunKind.Hole || (run.Kind is RunKind.Unread or RunKind.Unreadable && absent == AbsentBytes.Zero);
}

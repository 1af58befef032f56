using Evidence.Platform;
using Evidence.Sources;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Formats;

/// <summary>Numbered files of one size, but for the last: <c>NAME.001</c>, <c>NAME.002</c> and so on, as <see cref="SplitRawSet"/> reads them. They appear when all are whole.</summary>
internal sealed class SplitTarget : RawTarget
{
    /// <summary>The last number that a part may have, as six digits have it.</summary>
    private const int LastNumber = 999_999;

    private readonly OutputSet set;
    private readonly SplitRawName name;
    private readonly long partSize;
    private readonly List<string> files = [];
    private SafeFileHandle handle;
    private string temporary;
    private long position;

    private SplitTarget(OutputSet set, SplitRawName name, long partSize)
    {
        this.set = set;
        this.name = name;
        this.partSize = partSize;
        handle = Open(out temporary);
    }

    internal override IReadOnlyList<string> Files => files;

    /// <summary>Begins a set.</summary>
    /// <param name="path">The first part, which ends in a number: 0 or 1.</param>
    /// <param name="length">The bytes of all.</param>
    /// <param name="partSize">The bytes of each but the last.</param>
    /// <param name="logger">Hears of leftovers.</param>
    internal static SplitTarget Create(string path, long length, long partSize, ILogger logger)
    {
        if (SplitRawName.TryParse(path) is not { Number: 0 or 1, Width: >= 3 } name)
            throw new EvidenceException(ErrorCode.Usage, $"{path} is no name for the first part of a split image: end it in a number of three digits or more, as in NAME.001.");
        long last = name.Number + Math.Max(0, (length - 1) / partSize);
        if (last >= LastNumber)
            throw new EvidenceException(ErrorCode.Usage, $"Parts of {partSize} bytes are too small for {length} bytes: there are numbers for {LastNumber} of them.");
        // Whoever reads the set takes every number for a part, from 0 on, and one behind the last as well.
        for (long number = 0; number <= last + 1; number++)
        {
            string part = name.PathOf((int)number);
            if (Path.Exists(part))
                throw Invalid($"{part} exists already, and would be taken for a part. Nothing is written over or mixed with it: name other files, or remove it first.");
        }

        OutputSet created = OutputSet.Create(path, logger);
        try
        {
            return new SplitTarget(created, name, partSize);
        }
        catch
        {
            created.Dispose();
            throw;
        }
    }

    internal override void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = (int)Math.Min(bytes.Length, Room());
            Write(handle, temporary, bytes[..count], ref position);
            bytes = bytes[count..];
        }
    }

    internal override void WriteZeros(ReadOnlySpan<byte> zeros)
    {
        for (int left = zeros.Length; left > 0;)
        {
            int count = (int)Math.Min(left, Room());
            position += count;
            left -= count;
        }
    }

    internal override void Complete()
    {
        Close();
        set.Publish();
    }

    public override void Dispose()
    {
        handle.Dispose();
        set.Dispose();
    }

    /// <summary>The bytes that the part has room for; of a full one the next is begun.</summary>
    private long Room()
    {
        if (position == partSize)
        {
            Close();
            handle = Open(out temporary);
            position = 0;
        }

        return partSize - position;
    }

    private SafeFileHandle Open(out string written)
    {
        string path = name.PathOf(name.Number + files.Count);
        files.Add(path);
        return set.Add(path, out written);
    }

    private void Close()
    {
        DurableFile.Translate(temporary, "set the length of", () => RandomAccess.SetLength(handle, position));
        DurableFile.Sync(handle, temporary);
        handle.Dispose();
    }
}

using Evidence.Ledger;

namespace Evidence.Tests.Ledger;

/// <summary>A ledger's files in memory. An operation can be made to fail, as if the process ended there.</summary>
internal class MemoryStorage : ILedgerStorage
{
    public SortedDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>How many more writes succeed; null for all. The one after them is done, or not, and then the process "ends".</summary>
    public int? WritesLeft { get; set; }

    public bool FailAfterWriting { get; set; }

    /// <summary>Called after each write.</summary>
    public Action? Written { get; set; }

    /// <summary>How often a file was read, or looked for.</summary>
    public int Reads { get; private set; }

    public byte[]? TryRead(string name, int maximumLength)
    {
        Reads++;
        return Files.TryGetValue(name, out byte[]? content) ? content[..Math.Min(content.Length, maximumLength)] : null;
    }

    public bool TryCreate(string name, ReadOnlySpan<byte> content)
    {
        if (Files.ContainsKey(name))
            return false;
        byte[] copy = content.ToArray();
        Write(() => Files.Add(name, copy));
        return true;
    }

    public void Replace(string name, ReadOnlySpan<byte> content)
    {
        byte[] copy = content.ToArray();
        Write(() => Files[name] = copy);
    }

    public void Flush(string name)
    {
        // What is in memory is as durable as it gets.
    }

    public virtual void Delete(string name) => Write(() => Files.Remove(name));

    public IReadOnlyList<string> List(string prefix) => [.. Files.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];

    public IDisposable Lock(CancellationToken cancellation) => new MemoryStream();

    private void Write(Action write)
    {
        if (WritesLeft == 0)
        {
            if (FailAfterWriting)
            {
                write();
                Written?.Invoke();
            }

            throw new IOException("The process ended here.");
        }

        WritesLeft--;
        write();
        Written?.Invoke();
    }
}

/// <summary>Keeps superseded partial tiles.</summary>
internal sealed class KeepingStorage : MemoryStorage
{
    public override void Delete(string name)
    {
        if (!name.StartsWith("tile/", StringComparison.Ordinal))
            base.Delete(name);
    }
}

internal sealed class MemorySeen : ISeenCheckpoints
{
    private readonly Dictionary<string, (long Size, byte[] Note)> seen = new(StringComparer.Ordinal);

    public byte[]? Find(string origin) => seen.TryGetValue(origin, out var record) ? record.Note : null;

    public void Record(Checkpoint checkpoint, ReadOnlySpan<byte> signedNote)
    {
        if (!seen.TryGetValue(checkpoint.Origin, out var record) || record.Size < checkpoint.Size)
            seen[checkpoint.Origin] = (checkpoint.Size, signedNote.ToArray());
    }
}

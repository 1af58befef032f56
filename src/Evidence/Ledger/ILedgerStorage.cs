namespace Evidence.Ledger;

/// <summary>
/// Where a ledger's files are: a folder, a bucket. Names are paths below <c>ledger/</c>, such as <c>checkpoint</c>,
/// <c>tile/0/x001/234</c>, <c>timestamps/HEX.json</c> or <c>staging/batch</c>; the ledger knows no others. Failures are <see cref="EvidenceException"/>s.
/// </summary>
public interface ILedgerStorage
{
    /// <summary>Reads a file, of a longer one only the first bytes: ask for one more than is right to notice a longer one.</summary>
    /// <returns>Null where there is no such file.</returns>
    byte[]? TryRead(string name, int maximumLength);

    /// <summary>Creates an immutable file: all of it, or none. It is durable on return.</summary>
    /// <returns>False where one of that name exists; it is left as it is.</returns>
    bool TryCreate(string name, ReadOnlySpan<byte> content);

    /// <summary>Replaces a file in one step: readers see the old bytes or the new. Durable on return. Only for checkpoints.</summary>
    void Replace(string name, ReadOnlySpan<byte> content);

    /// <summary>
    /// Makes sure that a file which is there as it is will be there after a power cut. Whoever created or replaced it may have died before it was durable, or not be
    /// done yet. Needs no right to write.
    /// </summary>
    void Flush(string name);

    /// <summary>Removes a file, if it exists; durable on return. Only for what is in staging and superseded partial tiles.</summary>
    void Delete(string name);

    /// <summary>The names of all files whose name begins with a prefix, in ordinal order.</summary>
    IReadOnlyList<string> List(string prefix);

    /// <summary>Waits until no other sequencer, of this or another process, holds the ledger; held until disposed.</summary>
    IDisposable Lock(CancellationToken cancellation);
}

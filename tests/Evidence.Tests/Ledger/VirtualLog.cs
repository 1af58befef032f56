using Evidence.Ledger;
using Evidence.Tests.Hashing;

namespace Evidence.Tests.Ledger;

/// <summary>The tiles of a log of any size, made when they are asked for; it remembers which were.</summary>
internal sealed class VirtualLog(SparseTree tree) : ILedgerStorage
{
    internal List<string> Read { get; } = [];

    public byte[]? TryRead(string name, int maximumLength)
    {
        Read.Add(name);
        if (!TileName.TryParse(name, out TileName? tile) || tile.Value.Level == TileName.Entries)
            return null;
        (int level, long index, int width) = tile.Value;
        return TreeEdge.Encode([.. Enumerable.Range(0, width).Select(i => tree.Subtree(level * TileName.LevelBits, (index * TileName.FullWidth) + i))]);
    }

    public bool TryCreate(string name, ReadOnlySpan<byte> content) => throw new NotSupportedException();

    public void Replace(string name, ReadOnlySpan<byte> content) => throw new NotSupportedException();

    public void Flush(string name) => throw new NotSupportedException();

    public void Delete(string name) => throw new NotSupportedException();

    public IReadOnlyList<string> List(string prefix) => throw new NotSupportedException();

    public IDisposable Lock(CancellationToken cancellation) => throw new NotSupportedException();
}

using System.Text;
using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Tests.Sources;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class EntryFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    [Fact]
    public void Entries_come_back_as_they_were_signed()
    {
        LedgerEntry[] entries = [Sign(0), Sign(1)];
        string path = directory.At("answer");
        EntryFile.Write(path, entries);
        Assert.Equal(entries.Select(e => e.LeafHash), EntryFile.Read(path).Select(e => e.LeafHash));
        Assert.Equal(ErrorCode.DestinationInvalid, Assert.Throws<EvidenceException>(() => EntryFile.Write(path, entries)).Code);
    }

    [Fact]
    public void Whatever_else_a_file_holds_is_refused_with_its_name()
    {
        byte[] good = [.. Sign(0).ToBytes(), (byte)'\n'];
        byte[][] others =
        [
            [], [(byte)'\n'], good[..^1], good[..^2], [.. good, (byte)'\n'], [.. good, .. Encoding.UTF8.GetBytes("{}\n")], new byte[16 << 20],
            [.. Enumerable.Repeat(good, EntryFile.MostEntries + 1).SelectMany(g => g)],
        ];
        for (int i = 0; i < others.Length; i++)
        {
            string path = directory.Write($"other-{i}", others[i]);
            EvidenceException error = Assert.Throws<EvidenceException>(() => EntryFile.Read(path));
            Assert.Equal(ErrorCode.EntriesInvalid, error.Code);
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
    }

    public void Dispose() => directory.Dispose();

    private static LedgerEntry Sign(int number)
    {
        using var key = ActorKey.Create();
        return LedgerEntry.Create(
            new EntryPayload(EntryKind.Note, Instant.FromUnixTimeSeconds(number), null, [], new JsonObject { ["text"] = "line\nfeed" }, key.Id), key);
    }
}

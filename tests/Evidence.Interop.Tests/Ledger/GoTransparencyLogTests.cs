using System.Globalization;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Interop.Tests.Ledger;

/// <summary>Go's golang.org/x/mod/sumdb reads our logs unchanged.</summary>
public sealed class GoTransparencyLogTests
{
    [Fact]
    public async Task Go_verifies_a_log_of_70000_entries_and_refuses_it_after_any_flip()
    {
        string checker = await GoProgram.BuildAsync("checklog");
        using var log = new WrittenLog();
        log.Append(1, "first");
        log.Append(300, "some");
        log.Append(69_699, "many");
        var ledger = CustodyLedger.Open(log.Storage, WrittenLog.Origin, log.Keys.VerifierKeys, log.Store);
        Assert.Equal(70_000, ledger.Size);
        string[] earlier =
        [
            .. ((long[])[1, 2, 255, 256, 257, 301, 65_535, 65_536, 65_537, 69_999, 70_000])
                .Select(size => string.Create(CultureInfo.InvariantCulture, $"{size}:{Convert.ToBase64String(ledger.RootAt(size).ToArray())}")),
        ];
        string[] arguments = [log.Folder, log.Keys.Ed25519Key.ToString(), .. earlier];

        (int exitCode, string output) = await Peer.RunAsync(checker, arguments, log.Home);
        Assert.True(exitCode == 0, output);
        Assert.Equal("checked 70000 entries, 11 earlier sizes\n", output);

        foreach (string name in (string[])[
            "checkpoint", "tile/0/000", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/123", "tile/entries/273.p/112"])
        {
            string path = Path.Combine(log.Folder, name);
            byte[] content = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
            byte[] flipped = [.. content];
            flipped[content.Length / 3] ^= 1;
            await ReplaceAsync(path, flipped);
            (exitCode, output) = await Peer.RunAsync(checker, arguments, log.Home);
            Assert.True(exitCode != 0, $"{name}: {output}");
            await ReplaceAsync(path, content);
        }

        (exitCode, _) = await Peer.RunAsync(checker, arguments, log.Home);
        Assert.Equal(0, exitCode);
    }

    private static async Task ReplaceAsync(string path, byte[] content)
    {
        File.Delete(path);
        await File.WriteAllBytesAsync(path, content, TestContext.Current.CancellationToken);
    }
}

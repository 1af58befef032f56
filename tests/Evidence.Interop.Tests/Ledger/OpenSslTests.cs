using System.Runtime.CompilerServices;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Interop.Tests.Ledger;

/// <summary>The commands that docs/format/ledger.md prints, run as they stand there.</summary>
public sealed class OpenSslTests
{
    [Fact]
    public async Task The_documented_commands_verify_a_checkpoint_and_an_entry()
    {
        foreach (string program in (string[])["openssl", "jq", "sh"])
            Peer.Require(program);
        using var log = new WrittenLog();
        log.Append(3, "entry");
        await WriteAsync(log, "checkpoint", await File.ReadAllBytesAsync(Path.Combine(log.Folder, "checkpoint"), TestContext.Current.CancellationToken));
        await WriteAsync(log, "ed25519.vkey", System.Text.Encoding.UTF8.GetBytes(log.Keys.Ed25519Key + "\n"));
        await WriteAsync(log, "ecdsa.vkey", System.Text.Encoding.UTF8.GetBytes(log.Keys.EcdsaKey + "\n"));
        await WriteAsync(log, "entry", CustodyLedger.Open(log.Storage, WrittenLog.Origin, log.Keys.VerifierKeys).ReadEntry(1));

        string[] blocks = await DocumentedCommandsAsync();
        Assert.Equal(3, blocks.Length);
        // The page shows the use of the keys first, and how to get them after it.
        string publicKey = "openssl pkey -in keys/actors/examiner.pem -pubout -out actor.pub.pem\n";
        string script = "set -e\n" + blocks[1] + blocks[0] + publicKey + blocks[2];
        (int exitCode, string output) = await Peer.RunAsync("sh", ["-c", script], log.Home);
        Assert.True(exitCode == 0, output);
        Assert.Equal(1, Count(output, "Signature Verified Successfully"));
        Assert.Equal(2, Count(output, "Verified OK"));

        // The stored private keys are what the public ones in the ledger say.
        string folder = Path.GetDirectoryName(Directory.GetFiles(log.Home, "ecdsa.pem", SearchOption.AllDirectories).Single())!;
        (exitCode, output) = await Peer.RunAsync(
            "sh",
            ["-c", "set -e; for k in ed25519 ecdsa; do openssl pkey -in \"$0/$k.pem\" -pubout -out stored.pem; cmp stored.pem $k.pub.pem; done", folder],
            log.Home);
        Assert.True(exitCode == 0, output);

        string checkpoint = await File.ReadAllTextAsync(Path.Combine(log.Home, "checkpoint"), TestContext.Current.CancellationToken);
        await WriteAsync(log, "checkpoint", System.Text.Encoding.UTF8.GetBytes(checkpoint.Replace("\n3\n", "\n2\n", StringComparison.Ordinal)));
        (_, output) = await Peer.RunAsync("sh", ["-c", blocks[0]], log.Home);
        Assert.Equal(0, Count(output, "Verified"));
    }

    private static async Task WriteAsync(WrittenLog log, string name, byte[] content) =>
        await File.WriteAllBytesAsync(Path.Combine(log.Home, name), content, TestContext.Current.CancellationToken);

    private static async Task<string[]> DocumentedCommandsAsync([CallerFilePath] string thisFile = "")
    {
        string page = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../../docs/format/ledger.md"));
        string text = await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken);
        return [.. text.Split("```sh\n").Skip(1).Select(block => block[..block.IndexOf("```", StringComparison.Ordinal)])];
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}

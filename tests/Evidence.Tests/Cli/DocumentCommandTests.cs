using Evidence.Hashing;
using Evidence.Tests.Vaults;
using Xunit;

namespace Evidence.Tests.Cli;

public sealed class DocumentCommandTests : IDisposable
{
    private readonly TestVault place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task Documents_are_added_listed_and_given_out_again()
    {
        place.Create().Dispose();
        byte[] order = TestBytes.Text(3000, 1);
        string name = $"sha256:{Sha256Digest.Compute(order)}";
        await File.WriteAllBytesAsync(place.At("order.pdf"), order, TestVault.Stop);
        CommandRun added = await RunAsync("document", "add", "order.pdf", "order.pdf");
        Assert.Equal(0, added.ExitCode);
        Assert.Equal([("order.pdf", name), ("order.pdf", name)], added.Json["documents"]!.AsArray().Select(d => ((string)d!["file"]!, (string)d["document"]!)));
        Assert.Equal([name], (await RunAsync("document", "list")).Json["documents"]!.AsArray().Select(d => (string)d!), StringComparer.Ordinal);
        Assert.Equal(0, (await RunAsync("document", "export", name, "--output", "again.pdf")).ExitCode);
        Assert.Equal(order, await File.ReadAllBytesAsync(place.At("again.pdf"), TestVault.Stop));
        // It is not overwritten, and without its prefix the digest is the same name.
        CommandRun taken = await RunAsync("document", "export", name["sha256:".Length..], "--output", "again.pdf");
        Assert.Equal((1, "destination-invalid"), (taken.ExitCode, CodeOf(taken)));

        TestVault.Flip(place.Layout.Document(Sha256Digest.Compute(order)), 5);
        CommandRun refuted = await RunAsync("document", "export", name, "--output", "damaged.pdf");
        Assert.Equal((3, "content-refuted"), (refuted.ExitCode, CodeOf(refuted)));
        Assert.False(File.Exists(place.At("damaged.pdf")));
    }

    [Theory]
    [InlineData(1, "document-not-found", "document", "export", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "--output", "x")]
    [InlineData(2, "usage", "document", "export", "sha256:9f86", "--output", "x")]
    [InlineData(1, "source-not-found", "document", "add", "nothing.pdf")]
    public async Task What_is_not_there_is_told(int exitCode, string code, params string[] arguments)
    {
        place.Create().Dispose();
        CommandRun run = await RunAsync(arguments);
        Assert.Equal((exitCode, code), (run.ExitCode, CodeOf(run)));
    }

    private static string CodeOf(CommandRun run) => (string)run.Json["error"]!["code"]!;

    private Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.StartAsync(place, ["--json", "--vault", place.Folder, "--actor", "examiner", .. arguments]);
}

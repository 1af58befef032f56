using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using NodaTime;
using Xunit;

namespace Evidence.Interop.Tests.Ledger;

/// <summary>Go's golang.org/x/mod/sumdb/note opens a cosigned checkpoint as it lies in a vault, and Go's Ed25519 verifies its cosignatures.</summary>
public sealed class GoCosignatureTests
{
    [Fact]
    public async Task Go_opens_a_cosigned_checkpoint_and_refuses_it_after_any_flip_of_a_cosignature()
    {
        string program = await GoProgram.BuildAsync("opencosigned");
        using var log = new WrittenLog();
        log.Append(5, "entry");
        using var witness = WitnessKey.Create("witness.example/w");
        var note = SignedNote.Parse(await File.ReadAllBytesAsync(Path.Combine(log.Folder, "checkpoint"), TestContext.Current.CancellationToken));
        NoteSignature cosignature = witness.Cosign(note.Text, Instant.FromUtc(2026, 3, 4, 5, 6, 7));
        string file = Path.Combine(log.Home, "witnessed");
        string[] arguments = [file, log.Keys.Ed25519Key.ToString(), witness.VerifierKey.ToString()];

        await WriteAsync(file, note, cosignature);
        (int exitCode, string output) = await Peer.RunAsync(program, arguments, log.Home);
        Assert.True(exitCode == 0, output);
        Assert.Equal($"{note.Text}{WrittenLog.Origin}\nwitness.example/w\n", output);

        // A bit of the time, one of each half of the signature.
        foreach (int at in (int[])[7, 8, 71])
        {
            byte[] flipped = cosignature.Signature.ToArray();
            flipped[at] ^= 1;
            await WriteAsync(file, note, cosignature with { Signature = flipped });
            (exitCode, output) = await Peer.RunAsync(program, arguments, log.Home);
            Assert.True(exitCode != 0, output);
        }
    }

    private static async Task WriteAsync(string file, SignedNote note, NoteSignature cosignature) =>
        await File.WriteAllBytesAsync(file, SignedNote.Write(note.Text, [.. note.Signatures, cosignature]), TestContext.Current.CancellationToken);
}

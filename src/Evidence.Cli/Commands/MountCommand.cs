using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Formats.Fuse;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class MountCommand
{
    private static readonly Argument<string> Folder = new("DIR") { Description = "A folder that exists. What is in it is not seen until it is unmounted." };

    private static readonly Option<bool> AllowOther = new("--allow-other")
    {
        Description = "Let other users read there, too. Who is not root needs 'user_allow_other' in /etc/fuse.conf for that.",
    };

    internal static Command Build()
    {
        var command = new Command(
            "mount",
            """
            Shows an image as the read-only file DIR/image.raw, beside its manifest.json, until it is unmounted or this is interrupted. Every segment is checked against its id
            before a byte of it is read. That it was opened is an entry of the ledger.

            Examples:
              evidence mount server-7 /mnt/server-7 &
              fls -r -o 2048 /mnt/server-7/image.raw                       The Sleuth Kit reads it
              mount -o loop,ro,offset=1048576 /mnt/server-7/image.raw /mnt/root
              umount /mnt/server-7                                         or fusermount3 -u /mnt/server-7: the command ends by itself
              evidence mount server-7 /mnt/server-7 --unreadable zero      for tools that give up at the first error
            """)
        {
            Options.Image, Folder, ReadingOptions.Unreadable, AllowOther, ReadingOptions.Cache, ReadingOptions.NoRecord,
        };
        Session.Bind(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, CancellationToken stop)
    {
        ImageReadOptions options = ReadingOptions.Of(parsed);
        using Vault vault = session.OpenVault();
        ImageRecord record = vault.FindImage(parsed.GetValue(Options.Image)!);
        VaultImage image = vault.OpenImage(record);
        using ImageMount mount = ImageMount.Mount(image, parsed.GetValue(Folder)!, parsed.GetValue(AllowOther), options, session.Access.Logger);
        long? entry = ReadingOptions.Record(vault, parsed, record, new OpenedTo("mount", mount.Folder, options.Absent));
        session.Answer(
            () => new JsonObject
            {
                ["image"] = $"sha256:{record.Image}",
                ["item"] = record.Item,
                ["size"] = DecimalText.Format(image.Size),
                ["path"] = mount.ImagePath,
                ["entry"] = entry is { } index ? DecimalText.Format(index) : null,
            },
            text =>
            {
                text.WriteLine($"{record.Item}, {Units.Exact(image.Size)}, can be read until it is unmounted, at");
                text.WriteLine($"  {mount.ImagePath}");
                if (entry is { } index)
                    text.WriteLine($"Ledger entry {Units.Count(index)} says so");
            });
        await mount.RunAsync(stop);
        return ExitCode.Done;
    }
}

using System.CommandLine;
using Evidence.Cli.Commands;

namespace Evidence.Cli;

/// <summary>Every command there is.</summary>
internal static class CommandTree
{
    internal static RootCommand Build() => new(
        """
        Preserves servers as evidence: images disks into a deduplicated vault, with a signed custody ledger that the other side can check.

        Examples:
          evidence acquire /dev/sdb --case 2026-117 --item server-7   image a disk; makes ./evidence.vault if there is none
          evidence verify                                             recompute everything in the vault
          evidence repair --from /mnt/copy/evidence.vault             bring damaged content back from a copy
          evidence export server-7 --format raw --output server-7.img
          evidence mount server-7 /mnt/server-7                       the image as a file, for any tool; 'evidence serve' over NBD
          evidence files server-7                                     the files in it, to be given back with proofs
          evidence log                                                the custody entries, in order
          evidence gate server-7                                      may it be wiped?

        Exit codes: 0 done; 1 failed; 2 usage; 3 content refuted; 4 incomplete or unverifiable; 5 refused by the gate; 130 interrupted.
        """)
    {
        Session.VaultOption,
        Session.ActorOption,
        Session.JsonOption,
        Session.QuietOption,
        Session.OfflineOption,
        InitCommand.Build(),
        AcquireCommand.Build(),
        ImagesCommand.Build(),
        ShowCommand.Build(),
        VerifyCommand.Build(),
        ReplicateCommand.Build(),
        RepairCommand.Build(),
        ExportCommand.Build(),
        MountCommand.Build(),
        ServeCommand.Build(),
        FilesCommand.Build(),
        IdentityCommand.Build(),
        WitnessCommand.Build(),
        LogCommand.Build(),
        TimestampCommand.Build(),
        NoteCommand.Build(),
        DocumentCommand.Build(),
        TransferCommand.Build(),
        PartyCommand.Build(),
        AssetCommand.Build(),
        HoldCommand.Build(),
        NoticeCommand.Build(),
        ResponseCommand.Build(),
        PolicyCommand.Build(),
        GateCommand.Build(),
        ClearCommand.Build(),
        WipeCommand.Build(),
        ProveCommand.Build(),
        CheckCommand.Build(),
        BenchCommand.Build(),
    };
}
